"""Attention over a row that holds several documents, each seeing only itself.

A row may open with a prefix that all its documents share (a system prompt, say): it is computed
once and every document attends to it. Losses and gradients equal those of the documents alone;
only the work on padding and on repeated prefixes is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from transformers import AttentionInterface, PreTrainedModel

PACKED_ATTENTION = "tuneval_packed"
KEPT_APART = {"full_attention", "sliding_attention"}

# The key and the value of each layer, (1, heads, tokens, head_dim) both.
States = tuple[tuple[torch.Tensor, torch.Tensor], ...]
# What is added to the scores of so many queries and keys, in a window or none.
Masks = dict[tuple[int, int, int | None, torch.dtype], torch.Tensor]


def length_of(states: States) -> int:
    """How many tokens these are the keys and values of."""
    return states[0][0].shape[2] if states else 0


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the documents of a (1, T) row lie.

    The row opens with `n_shared` tokens that begin every document (0: nothing is shared);
    `documents` are the (start, end) ranges of what is each one's own, in row order. `masks` are
    those that the layers of a pass have in common.
    """

    n_shared: int
    documents: tuple[tuple[int, int], ...]
    masks: Masks = field(default_factory=dict, compare=False, repr=False)

    def position_ids(self) -> torch.Tensor:
        """(1, T) int64: every document counts on from the end of the shared prefix."""
        own = [torch.arange(end - start) + self.n_shared for start, end in self.documents]
        return torch.cat([torch.arange(self.n_shared), *own])[None]

    def behind(self, count: int) -> Layout:
        """The layout of the row with `count` more tokens before all, which its documents share."""
        moved = tuple((start + count, end + count) for start, end in self.documents)
        return Layout(self.n_shared + count, moved)


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    layout: Layout | None = None,
    virtual_states: States | None = None,
    read: dict[int, tuple[torch.Tensor, torch.Tensor]] | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention in each document. Query (1, H, T, D), key and value (1, K, T, D).

    `virtual_states` come before the row in every layer, seen by all that is in it. `read` gets
    the keys and values of the last document, with all that is before it, by layer.
    """
    if layout is None or query.shape[0] != 1:
        raise RuntimeError("packed attention needs one row and its layout")
    grouped = query.shape[1] != key.shape[1]
    attend = Attend(dropout, scaling, grouped, sliding_window, layout.masks)
    outputs = []
    # What every document sees: virtual tokens, then what the row opens with.
    first_keys, first_values = key[:, :, : layout.n_shared], value[:, :, : layout.n_shared]
    if virtual_states is not None:
        keys, values = virtual_states[module.layer_idx]  # type: ignore[index]
        first_keys = torch.cat([keys.to(key.dtype), first_keys], dim=2)
        first_values = torch.cat([values.to(value.dtype), first_values], dim=2)
    if layout.n_shared:
        outputs.append(attend(query[:, :, : layout.n_shared], first_keys, first_values))
    for start, end in layout.documents:
        own = slice(start, end)
        keys, values = key[:, :, own], value[:, :, own]
        if first_keys.shape[2]:
            keys = torch.cat([first_keys, keys], dim=2)
            values = torch.cat([first_values, values], dim=2)
        outputs.append(attend(query[:, :, own], keys, values))
    if read is not None:
        read[module.layer_idx] = (keys, values)  # type: ignore[index]
    return torch.cat(outputs, dim=2).transpose(1, 2).contiguous(), None


@dataclass(frozen=True, slots=True)
class Attend:
    """Scaled dot-product attention where the queries are the last of the keys' positions."""

    dropout: float
    scaling: float | None
    grouped: bool
    window: int | None
    masks: Masks

    def __call__(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """Query (1, H, n, D), key and value (1, K, m, D); the result is like the query."""
        mask = self._mask(query, key.shape[2])
        return F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=mask,
            dropout_p=self.dropout,
            scale=self.scaling,
            is_causal=mask is None,
            enable_gqa=self.grouped,
        )

    def _mask(self, query: torch.Tensor, n_key: int) -> torch.Tensor | None:
        """0 where a query sees a key, -inf elsewhere, (n, m); None where causality is plain."""
        n_query = query.shape[2]
        window = None if self.window is None or n_key <= self.window else self.window
        if window is None and n_query == n_key:
            return None
        wanted = (n_query, n_key, window, query.dtype)
        if wanted not in self.masks:
            rows = torch.arange(n_key - n_query, n_key, device=query.device)[:, None]
            columns = torch.arange(n_key, device=query.device)[None]
            hidden = columns > rows
            if window is not None:
                hidden |= columns <= rows - window
            mask = torch.zeros(hidden.shape, dtype=query.dtype, device=query.device)
            self.masks[wanted] = mask.masked_fill_(hidden, float("-inf"))
        return self.masks[wanted]


def use_packed_attention(model: PreTrainedModel) -> bool:
    """Switch the model to packed attention; False when its attention needs more than this gives."""
    if not can_be_packed(model):
        return False
    model.set_attn_implementation(PACKED_ATTENTION)
    return True


def can_be_packed(model: PreTrainedModel) -> bool:
    """Whether documents in one row can be kept apart by attention alone."""
    config = model.config.get_text_config()
    special = ("attn_logit_softcapping", "attention_chunk_size")
    if any(getattr(config, name, None) for name in special):
        return False
    # A convolution or a linear attention would carry one document's state into the next.
    if not set(getattr(config, "layer_types", None) or ()) <= KEPT_APART:
        return False
    return bool(getattr(model, "_supports_attention_backend", False))


AttentionInterface.register(PACKED_ATTENTION, packed_attention)
