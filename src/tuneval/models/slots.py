"""Keys and values of answers in the making, each row as long as it has come by itself.

A pass is one packed row: the newest token of every live row, then prompts to be read. Rows come
and go between passes. Query heads that share a key head are attended to as its queries, so keys
and values are read once and never copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from transformers import AttentionInterface

from tuneval.models.packed_attention import Attend, Masks, States, length_of

SLOT_ATTENTION = "tuneval_slots"


@dataclass(frozen=True, slots=True)
class Piece:
    """`count` new tokens after what `before` holds; they begin a row, or are only read.

    `before`: keys and values of every layer, empty where nothing comes before.
    """

    count: int
    before: States
    is_row: bool

    @property
    def n_before(self) -> int:
        """Tokens that are there already."""
        return length_of(self.before)


class Slots:
    """Room for `rows` rows of `width` tokens; the live ones come first, without gaps.

    Between `begin` and `end` the model runs once, with `slots=self` and SLOT_ATTENTION.
    """

    def __init__(self, rows: int, width: int, *, device: torch.device) -> None:
        self.rows = rows
        self.width = width
        self.lengths: list[int] = []
        self.device = device
        self._room: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._pieces: Sequence[Piece] = ()
        self._at = torch.zeros(0, dtype=torch.int64, device=device)
        self._masks: dict[int | None, torch.Tensor] = {}
        self._piece_masks: Masks = {}
        self._read: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def begin(self, n_rows: int, pieces: Sequence[Piece]) -> torch.Tensor:
        """The position ids (1, N) of a pass: a token for each of so many rows, then the pieces.

        All live rows take part, or, while something is only read, none.
        """
        self._pieces = pieces
        self._at = torch.tensor(self.lengths[:n_rows], dtype=torch.int64)
        own = [torch.arange(p.n_before, p.n_before + p.count) for p in pieces]
        positions = torch.cat([self._at, *own])[None].to(self.device)
        self._at = self._at.to(self.device)
        self._masks, self._piece_masks, self._read = {}, {}, {}
        return positions

    def end(self) -> None:
        """Count what was read; pieces that begin rows are live from now on."""
        for row in range(len(self._at)):
            self.lengths[row] += 1
        self.lengths += [p.n_before + p.count for p in self._pieces if p.is_row]

    def last_read(self) -> States:
        """Keys and values of the last piece of the pass, with what came before it."""
        return tuple(self._read[layer] for layer in sorted(self._read))

    def leave(self, order: Sequence[int], moved: Sequence[tuple[int, int]]) -> None:
        """Go on with these rows in these places, as `places_after` gives them."""
        for source, target in moved:
            size = self.lengths[source]
            for room in self._room.values():
                for part in room:
                    part[target, :, :size] = part[source, :, :size]
        self.lengths = [self.lengths[row] for row in order]

    def resize(self, rows: int, width: int) -> None:
        """Take room for other numbers of rows and tokens; what is live moves over."""
        n, size = len(self.lengths), max(self.lengths, default=0)
        for layer, room in self._room.items():
            larger = tuple(
                part.new_zeros((rows, part.shape[1], width, part.shape[3])) for part in room
            )
            for part, old in zip(larger, room, strict=True):
                part[:n, :, :size] = old[:n, :, :size]
            self._room[layer] = larger  # type: ignore[assignment]
        self.rows, self.width = rows, width

    def attend(
        self,
        layer: int,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        *,
        scaling: float | None,
        window: int | None,
    ) -> torch.Tensor:
        """Attention of a pass, (1, N, H, D); query (1, H, N, D), key and value (1, K, N, D)."""
        if layer not in self._room:
            self._room[layer] = tuple(  # type: ignore[assignment]
                part.new_zeros((self.rows, part.shape[1], self.width, part.shape[3]))
                for part in (key, value)
            )
        n = len(self._at)
        outputs = []
        if n:
            new = (query[0, :, :n], key[0, :, :n], value[0, :, :n])
            outputs.append(self._step(layer, *new, scaling=scaling, window=window))
        grouped = query.shape[1] != key.shape[1]
        attend = Attend(0.0, scaling, grouped, window, self._piece_masks)
        row, start = len(self.lengths), n
        for piece in self._pieces:
            own = slice(start, start + piece.count)
            keys, values = key[:, :, own], value[:, :, own]
            if piece.before:
                before = piece.before[layer]
                keys = torch.cat([before[0], keys], dim=2)
                values = torch.cat([before[1], values], dim=2)
            outputs.append(attend(query[:, :, own], keys, values).transpose(1, 2))
            if piece.is_row:
                for part, states in zip(self._room[layer], (keys, values), strict=True):
                    part[row, :, : states.shape[2]] = states[0]
                row += 1
            else:
                self._read[layer] = (keys, values)
            start = own.stop
        return torch.cat(outputs, dim=1)

    def _step(
        self,
        layer: int,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        *,
        scaling: float | None,
        window: int | None,
    ) -> torch.Tensor:
        """One token of every live row, (1, n, H, D); query (H, n, D), key and value (K, n, D)."""
        n = query.shape[1]
        rows = torch.arange(n, device=self.device)
        keys, values = self._room[layer]
        keys[rows, :, self._at] = key.transpose(0, 1)
        values[rows, :, self._at] = value.transpose(0, 1)
        longest = max(self.lengths) + 1
        heads, dim = key.shape[0], query.shape[2]
        grouped = query.transpose(0, 1).reshape(n, heads, -1, dim)
        found = F.scaled_dot_product_attention(
            grouped,
            keys[:n, :, :longest],
            values[:n, :, :longest],
            attn_mask=self._mask(longest, window).expand(-1, -1, grouped.shape[2], -1),
            scale=scaling,
        )
        return found.reshape(1, n, query.shape[0], -1)

    def _mask(self, longest: int, window: int | None) -> torch.Tensor:
        """What each live row sees, (n, 1, 1, longest); made once a pass."""
        if window is not None and window >= longest:
            window = None
        if window not in self._masks:
            columns = torch.arange(longest, device=self.device)[None]
            mask = columns <= self._at[:, None]
            if window is not None:
                mask &= columns > self._at[:, None] - window
            self._masks[window] = mask[:, None, None]
        return self._masks[window]


def slot_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    slots: Slots | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """`Slots.attend` as transformers calls it."""
    if slots is None or query.shape[0] != 1:
        raise RuntimeError("slot attention needs one row and its slots")
    layer: int = module.layer_idx  # type: ignore[assignment]
    found = slots.attend(layer, query, key, value, scaling=scaling, window=sliding_window)
    return found.contiguous(), None


AttentionInterface.register(SLOT_ATTENTION, slot_attention)
