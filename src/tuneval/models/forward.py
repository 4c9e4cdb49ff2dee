"""One forward pass of a causal language model, with the output head only where it is needed.

The model is used in two parts, body and head, when that gives what the whole gives (tried once
on a few tokens: some families scale or cap their logits in their own way); otherwise whole.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tuneval.models.packed_attention import PACKED_ATTENTION, Layout, use_packed_attention
from tuneval.models.sequences import Input, PackedRow

# Logits held at once: 256 rows of a 49k vocabulary, 48 of a 262k one. On a CPU larger chunks fall
# out of its caches, smaller ones leave the matrix product short.
CHUNK_LOGITS = 12_582_912
PROBE_TOKENS = 8


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes into one forward pass. `starts[i]` is where input i's own tokens lie in the
    flattened (B * T) positions; its first `n_shared` tokens lie at 0, 1, …
    """

    inputs: tuple[Input, ...]
    input_ids: torch.Tensor
    starts: tuple[int, ...]
    n_shared: int = 0
    layout: Layout | None = None

    def positions(self, index: int, start: int, count: int) -> np.ndarray:
        """Flattened positions of tokens `start`, `start + 1`, … of input `index`, (count,)."""
        own = np.arange(start, start + count)
        return np.where(own < self.n_shared, own, own - self.n_shared + self.starts[index])


def packed_batch(row: PackedRow) -> Batch:
    """The (1, T) batch of a packed row."""
    pieces = [row.inputs[0].ids[: row.n_shared]]
    spans = []
    start = row.n_shared
    for item in row.inputs:
        own = item.ids[row.n_shared :]
        pieces.append(own)
        spans.append((start, start + len(own)))
        start += len(own)
    ids = torch.from_numpy(np.concatenate(pieces).astype(np.int64))[None]
    starts = tuple(start for start, _ in spans)
    return Batch(row.inputs, ids, starts, row.n_shared, Layout(row.n_shared, tuple(spans)))


def padded_batch(inputs: Sequence[Input]) -> Batch:
    """The (B, T) batch of inputs, padded on the right, where causal attention never looks."""
    width = max(map(len, inputs))
    ids = np.zeros((len(inputs), width), dtype=np.int64)
    for index, item in enumerate(inputs):
        ids[index, : len(item)] = item.ids
    starts = tuple(index * width for index in range(len(inputs)))
    return Batch(tuple(inputs), torch.from_numpy(ids), starts)


class Forward:
    """A model made ready to give logits at chosen positions. Use inside `ready`."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.has_virtual_tokens = has_virtual_tokens(model)
        self.core = model if self.has_virtual_tokens else core_model(model)
        self.device = next(model.parameters()).device
        self._split = False
        self._keeps = "logits_to_keep" in inspect.signature(self.core.forward).parameters

    def probe(self, ids: np.ndarray) -> None:
        """Find out whether body and head, used apart, give this model's logits."""
        if self.has_virtual_tokens or self.core.get_output_embeddings() is None:
            return
        few = torch.from_numpy(ids[:PROBE_TOKENS].astype(np.int64))[None].to(self.device)
        whole = self.core(input_ids=few, use_cache=False).logits
        body = self.core.get_decoder()
        if body is self.core:
            return
        hidden = body(input_ids=few, use_cache=False).last_hidden_state
        if hidden.shape[-1] != self.core.get_output_embeddings().weight.shape[-1]:
            return
        apart = self._head(hidden)
        tolerance = 1e-5 if whole.dtype in (torch.float32, torch.float64) else 1e-2
        self._split = apart.shape == whole.shape and torch.allclose(
            apart.float(), whole.float(), rtol=tolerance, atol=tolerance
        )

    def logits(self, batch: Batch, positions: np.ndarray) -> Iterator[torch.Tensor]:
        """Logits at the flattened positions, in order, in chunks (n, V), at least float32."""
        where = torch.from_numpy(positions).to(self.device)
        inputs: dict[str, Any] = {"input_ids": batch.input_ids.to(self.device)}
        if batch.layout is not None:
            inputs["position_ids"] = batch.layout.position_ids().to(self.device)
            inputs["layout"] = batch.layout
        if not self._split:
            yield from self._whole_logits(inputs, where)
            return
        hidden = self.core.get_decoder()(**inputs, use_cache=False).last_hidden_state
        rows = hidden.flatten(0, 1)[where]
        del hidden
        weight = self.core.get_output_embeddings().weight
        for chunk in rows.split(max(1, CHUNK_LOGITS // weight.shape[0])):
            yield _precise(self._head(chunk))

    def _whole_logits(
        self, inputs: dict[str, Any], where: torch.Tensor
    ) -> Iterator[torch.Tensor]:
        if self.has_virtual_tokens:
            # Outputs of prompt and p-tuning are longer by the virtual tokens in front.
            width = inputs["input_ids"].shape[1]
            mask = torch.ones_like(inputs["input_ids"])
            logits = self.model(**inputs, attention_mask=mask).logits[:, -width:]
            yield _precise(logits.flatten(0, 1)[where])
        elif self._keeps and inputs["input_ids"].shape[0] == 1:
            yield _precise(self.core(**inputs, logits_to_keep=where, use_cache=False).logits[0])
        else:
            logits = self.core(**inputs, use_cache=False).logits
            yield _precise(logits.flatten(0, 1)[where])

    def _head(self, hidden: torch.Tensor) -> torch.Tensor:
        logits = self.core.get_output_embeddings()(hidden)
        cap = getattr(self.core.config.get_text_config(), "final_logit_softcapping", None)
        return logits if cap is None else torch.tanh(logits / cap) * cap


@contextmanager
def ready(model: Any, *, packed: bool = False) -> Iterator[bool]:
    """The model in evaluation mode, without gradients; as it was afterwards.

    Yields whether it attends in packed rows now: asked for and possible.
    """
    core = core_model(model)
    was_training = model.training
    attention = core.config._attn_implementation
    if attention == PACKED_ATTENTION:
        core.set_attn_implementation("sdpa")
    is_packed = packed and not has_virtual_tokens(model) and use_packed_attention(core)
    model.eval()
    try:
        with torch.no_grad():
            yield is_packed
    finally:
        if core.config._attn_implementation != attention:
            core.set_attn_implementation(attention)
        model.train(was_training)


def core_model(model: Any) -> Any:
    """transformers' own model inside a peft one (whose layers carry the adapter), or the model."""
    return model.get_base_model() if hasattr(model, "peft_config") else model


def has_virtual_tokens(model: Any) -> bool:
    """Whether a method in front of the model adds tokens or states that it must go through."""
    configs = getattr(model, "peft_config", None) or {}
    return any(getattr(config, "is_prompt_learning", False) for config in configs.values())


def longest_input(model: Any) -> int | None:
    """How many tokens the model was built to read, virtual tokens taken off; None when unknown."""
    config = core_model(model).config.get_text_config()
    longest = getattr(config, "max_position_embeddings", None)
    if longest is None:
        return None
    configs = getattr(model, "peft_config", None) or {}
    return int(longest) - sum(getattr(c, "num_virtual_tokens", 0) or 0 for c in configs.values())


def _precise(logits: torch.Tensor) -> torch.Tensor:
    return logits if logits.dtype == torch.float64 else logits.float()
