"""One batch of prompts, token by token, until each has its answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch

from tuneval.models.kv_cache import (
    begin_with,
    is_roomy,
    keep_rows,
    make_cache,
    places_after,
    share_rows,
)
from tuneval.models.packed_attention import States
from tuneval.models.sampling import Sampling, choose_tokens
from tuneval.models.sequences import SHORTEST_SHARED_PREFIX, Ids, common_prefix

FinishReason = Literal["stop", "length"]
IsFinished = Callable[[int, Sequence[int]], bool]
"""Whether the answer to prompt `index` ends with its last id."""


def never(index: int, ids: Sequence[int]) -> bool:
    """Nothing but the stop ids and its length ends an answer."""
    return False


@dataclass(frozen=True, slots=True)
class Completion:
    """The ids that the model said, without the one that ended the turn.

    `seconds_to_first` runs from when the prompt was taken up to its first token, `seconds` to its
    last, both with the batch it was in.
    """

    ids: tuple[int, ...]
    finish_reason: FinishReason
    seconds_to_first: float = field(default=0.0, compare=False)
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt under its number, the most tokens that may follow, and how they are chosen."""

    index: int
    ids: Ids
    limit: int
    sampling: Sampling
    dice_seed: int


@dataclass(slots=True)
class _Row:
    prompt: Prompt
    die: torch.Generator
    said: list[int] = field(default_factory=list)

    def hear(
        self, token: int, stop_ids: frozenset[int], is_finished: IsFinished
    ) -> FinishReason | None:
        """Take the next token; why the answer ends with it, or None."""
        if token in stop_ids:
            return "stop"
        self.said.append(token)
        if is_finished(self.prompt.index, self.said):
            return "stop"
        return "length" if len(self.said) >= self.prompt.limit else None


def decode(
    model: Any,
    prompts: Sequence[Prompt],
    *,
    stop_ids: frozenset[int],
    is_finished: IsFinished = never,
    virtual_states: States = (),
) -> Iterator[tuple[int, Completion]]:
    """Index and completion of each prompt as it ends. Use in `evaluating(model)`.

    `virtual_states` come before every prompt, in each layer.
    """
    rows = [_Row(p, torch.Generator().manual_seed(p.dice_seed)) for p in prompts]
    began = time.perf_counter()
    state = _State(model, prompts, virtual_states)
    logits = state.read_prompts()
    first = None
    while rows:
        tokens = choose_tokens(
            logits, [row.prompt.sampling for row in rows], [row.die for row in rows]
        )
        reasons = [
            row.hear(token, stop_ids, is_finished)
            for row, token in zip(rows, tokens.tolist(), strict=True)
        ]
        now = time.perf_counter() - began
        first = first or now
        for row, reason in zip(rows, reasons, strict=True):
            if reason is not None:
                yield row.prompt.index, Completion(tuple(row.said), reason, first, now)
        if any(reasons):
            order, moved = places_after([reason is None for reason in reasons])
            rows = [rows[place] for place in order]
            if rows:
                tokens = tokens[torch.tensor(order, device=tokens.device)]
                state.keep(order, moved)
        if rows:
            logits = state.read(tokens)


class _State:
    """What the model has read so far, for every row that still speaks."""

    def __init__(self, model: Any, prompts: Sequence[Prompt], virtual_states: States) -> None:
        self.model = model
        self.device = next(model.parameters()).device
        self.prompts = prompts
        self.n_virtual = virtual_states[0][0].shape[2] if virtual_states else 0
        width = self.n_virtual + max(len(p.ids) for p in prompts)
        capacity = width + max(p.limit for p in prompts)
        self.cache = make_cache(model.config, rows=len(prompts), capacity=capacity)
        if virtual_states:
            begin_with(self.cache, virtual_states, rows=len(prompts))
        self.mask = torch.zeros((len(prompts), capacity), dtype=torch.int64)
        self.next_position = torch.tensor([self.n_virtual + len(p.ids) for p in prompts])
        self.length = self.n_virtual

    def read_prompts(self) -> torch.Tensor:
        """Logits (B, V) after each prompt. What all begin with is read once, then padding, then
        each one's own: a token's place in the cache does not matter, its position id does.
        """
        n_shared = self._shared_length()
        begun = self.n_virtual + n_shared
        if n_shared:
            shared = torch.from_numpy(self.prompts[0].ids[:n_shared].astype(np.int64))[None]
            places = torch.arange(self.n_virtual, begun)[None]
            self._forward(shared, places, torch.ones((1, begun), dtype=torch.int64))
        if begun and is_roomy(self.cache):
            share_rows(self.cache, len(self.prompts))
        own = [p.ids[n_shared:] for p in self.prompts]
        width = max(map(len, own))
        ids = np.zeros((len(own), width), dtype=np.int64)
        positions = np.zeros((len(own), width), dtype=np.int64)
        self.mask[:, :begun] = 1
        for row, piece in enumerate(own):
            ids[row, width - len(piece) :] = piece
            positions[row, width - len(piece) :] = np.arange(begun, begun + len(piece))
            self.mask[row, begun + width - len(piece) : begun + width] = 1
        return self._forward(
            torch.from_numpy(ids), torch.from_numpy(positions), self.mask[:, : begun + width]
        )

    def read(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits (B, V) after one more token in each row."""
        self.mask[:, self.length] = 1
        logits = self._forward(
            tokens[:, None], self.next_position[:, None], self.mask[:, : self.length + 1]
        )
        self.next_position = self.next_position + 1
        return logits

    def keep(self, order: list[int], moved: list[tuple[int, int]]) -> None:
        """Go on with these rows in these places."""
        keep_rows(self.cache, order, moved)
        self.mask = self.mask[order]
        self.next_position = self.next_position[order]

    def _shared_length(self) -> int:
        # Windows and recurrent states count places, not position ids: padding would shift them.
        if len(self.prompts) < 2 or not is_roomy(self.cache):
            return 0
        first = self.prompts[0].ids
        shared = min(common_prefix(first, p.ids) for p in self.prompts[1:])
        shared = min(shared, min(len(p.ids) for p in self.prompts) - 1)
        return shared if shared >= SHORTEST_SHARED_PREFIX else 0

    def _forward(
        self, ids: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        self.length += ids.shape[1]
        outputs = self.model(
            input_ids=ids.to(self.device),
            position_ids=positions.to(self.device),
            attention_mask=mask.to(self.device),
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return outputs.logits[:, -1].float()
