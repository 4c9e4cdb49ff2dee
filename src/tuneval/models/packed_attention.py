"""Attention over a row that holds several documents, each seeing only itself.

A row may open with a prefix that all its documents share (a system prompt, say): it is computed
once and every document attends to it. Losses and gradients equal those of the documents alone;
only the work on padding and on repeated prefixes is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from transformers import AttentionInterface, PreTrainedModel

PACKED_ATTENTION = "tuneval_packed"
KEPT_APART = {"full_attention", "sliding_attention"}

# The key and the value of each layer, (1, heads, tokens, head_dim) both.
States = tuple[tuple[torch.Tensor, torch.Tensor], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the documents of a (1, T) row lie.

    The row opens with `n_shared` tokens that begin every document (0: nothing is shared);
    `documents` are the (start, end) ranges of what is each one's own, in row order.
    """

    n_shared: int
    documents: tuple[tuple[int, int], ...]

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
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention in each document. Query (1, H, T, D), key and value (1, K, T, D).

    `virtual_states` come before the row in every layer, seen by all that is in it.
    """
    if layout is None or query.shape[0] != 1:
        raise RuntimeError("packed attention needs one row and its layout")
    attend = Attend(dropout, scaling, query.shape[1] != key.shape[1], sliding_window)
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
    return torch.cat(outputs, dim=2).transpose(1, 2).contiguous(), None


@dataclass(frozen=True, slots=True)
class Attend:
    """Scaled dot-product attention where the queries are the last of the keys' positions."""

    dropout: float
    scaling: float | None
    grouped: bool
    window: int | None

    def __call__(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """Query (1, H, n, D), key and value (1, K, m, D); the result is like the query."""
        n_query, n_key = query.shape[2], key.shape[2]
        windowed = self.window is not None and n_key > self.window
        mask = None
        if windowed or n_query != n_key:
            rows = torch.arange(n_key - n_query, n_key, device=query.device)[:, None]
            columns = torch.arange(n_key, device=query.device)[None]
            mask = columns <= rows
            if windowed and self.window is not None:
                mask &= columns > rows - self.window
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
