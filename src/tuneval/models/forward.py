"""One forward pass of a causal language model, with the output head only where it is needed.

A model is used in two parts, body and head, and with its inputs packed into one row, when that
gives what the whole model gives on each input alone. This is tried on a few tokens first: some
families scale or cap their logits in their own way, some have layers that carry on from one
packed input into the next. Where it does not hold, the whole model runs on padded batches.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import torch

from tuneval.errors import ModelError
from tuneval.models.blocks import find_blocks
from tuneval.models.head import Found, Wanted, from_hidden, from_logits, precise
from tuneval.models.packed_attention import (
    PACKED_ATTENTION,
    Layout,
    States,
    length_of,
    use_packed_attention,
)
from tuneval.models.sequences import Ids, Input, PackedRow
from tuneval.models.virtual_tokens import virtual_tokens

Positions = npt.NDArray[np.int64]

# Logits held at once where whole rows of them are made: 256 of a 49k vocabulary, 48 of a 262k one.
CHUNK_LOGITS = 12_582_912
PROBE_TOKENS = 8
# Of models that were tried: whether packed rows and parts hold, and what may be narrowed, by
# whether packed rows were asked for. It lies in how a model is made, not in its weights.
_Tried = tuple[bool, bool, torch.nn.Module | None]
_TRIED: WeakKeyDictionary[Any, dict[bool, _Tried]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes into one forward pass.

    `starts[i]` is where input i's own tokens lie among the flattened (B * T) positions; the
    first `n_shared` tokens of every input lie at 0, 1, …, or, where the row `is_begun`, nowhere.
    """

    inputs: tuple[Input, ...]
    input_ids: torch.Tensor
    starts: tuple[int, ...]
    n_shared: int = 0
    is_begun: bool = False
    layout: Layout | None = None

    def positions(self, index: int, start: int, count: int) -> Positions:
        """Flattened positions of tokens `start`, `start + 1`, … of input `index`, (count,)."""
        token = np.arange(start, start + count)
        return np.where(token < self.n_shared, token, token - self.n_shared + self.starts[index])


def packed_batch(row: PackedRow) -> Batch:
    """The (1, T) batch of a packed row."""
    pieces = [] if row.is_begun else [row.inputs[0].ids[: row.n_shared]]
    spans = []
    start = n_here = sum(map(len, pieces))
    for item in row.inputs:
        pieces.append(item.ids[row.n_shared :])
        spans.append((start, start + len(pieces[-1])))
        start = spans[-1][1]
    return Batch(
        inputs=row.inputs,
        input_ids=torch.from_numpy(np.concatenate(pieces).astype(np.int64))[None],
        starts=tuple(start for start, _ in spans),
        n_shared=row.n_shared,
        is_begun=row.is_begun,
        layout=Layout(n_here, tuple(spans)),
    )


def padded_batch(inputs: Sequence[Input]) -> Batch:
    """The (B, T) batch of inputs, padded on the right, where causal attention never looks."""
    width = max(map(len, inputs))
    ids = np.zeros((len(inputs), width), dtype=np.int64)
    for index, item in enumerate(inputs):
        ids[index, : len(item)] = item.ids
    starts = tuple(index * width for index in range(len(inputs)))
    return Batch(tuple(inputs), torch.from_numpy(ids), starts)


class Forward:
    """A model that gives logits at chosen positions of a batch; made by `prepare`."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.is_packed = False
        self.is_split = False
        self._narrowed: torch.nn.Module | None = None
        self.virtual = virtual_tokens(model)
        self.states: States | None = None
        self._begun: tuple[bytes, States] = (b"", ())
        self.n_read_apart = 0
        self.core = core_model(model)
        self.device = next(model.parameters()).device
        self._keeps = "logits_to_keep" in inspect.signature(self.core.forward).parameters

    def batch(self, row: PackedRow) -> Batch:
        """What goes into one pass: the row as it is laid out, or its inputs padded."""
        return packed_batch(row) if self.is_packed else padded_batch(row.inputs)

    def answer(self, batch: Batch, positions: Positions, wanted: Wanted) -> Found:
        """Log-probabilities at the flattened positions, whose places `wanted.row_of` names."""
        head = self.core.get_output_embeddings()
        if not self.is_split or type(head) is not torch.nn.Linear:
            return from_logits(self.logits(batch, positions), wanted)
        rows = self._hidden(self._inputs(batch), torch.from_numpy(positions).to(self.device))
        return from_hidden(rows, head, wanted, cap=self._cap)

    def logits(self, batch: Batch, positions: Positions) -> Iterator[torch.Tensor]:
        """Logits at the flattened positions, in order, in chunks (n, V), at least float32."""
        where = torch.from_numpy(positions).to(self.device)
        inputs = self._inputs(batch)
        if self.is_split:
            rows = self._hidden(inputs, where)
            head = self.core.get_output_embeddings()
            for chunk in rows.split(max(1, CHUNK_LOGITS // head.weight.shape[0])):
                yield precise(self._head(chunk))
        elif self.virtual is not None and not self.is_packed:
            # peft's own way. Outputs of prompt and p-tuning are longer by the virtual tokens.
            mask = torch.ones_like(inputs["input_ids"])
            logits = self.model(**inputs, attention_mask=mask).logits[:, -mask.shape[1] :]
            yield precise(logits.flatten(0, 1)[where])
        elif self._keeps and len(inputs["input_ids"]) == 1:
            yield precise(self.core(**inputs, logits_to_keep=where, use_cache=False).logits[0])
        else:
            logits = self.core(**inputs, use_cache=False).logits
            yield precise(logits.flatten(0, 1)[where])

    def try_parts(self, first: Ids, last: Ids, *, packed: bool) -> None:
        """Use packed rows, and body and head apart, if they give the whole model's logits.

        A model is tried once.
        """
        tried = _TRIED.setdefault(self.model, {})
        if packed in tried:
            self.is_packed, self.is_split, self._narrowed = tried[packed]
            if self.is_packed:
                self._has_states()
                use_packed_attention(self.core)
            return
        self._try_parts(first, last, packed=packed)
        tried[packed] = (self.is_packed, self.is_split, self._narrowed)

    def _try_parts(self, first: Ids, last: Ids, *, packed: bool) -> None:
        samples = [Input(ids[:PROBE_TOKENS]) for ids in (first, last)]
        batches = [padded_batch([sample]) for sample in samples]
        alone = self._all_logits(batches)
        if packed and self._has_states() and use_packed_attention(self.core):
            self.is_packed = True
            row = packed_batch(PackedRow(tuple(samples), 0))
            self.is_packed = is_close(self._all_logits([row]), alone)
        if self.is_packed:
            batches = [row]
        else:
            _use_standard_attention(self.core)
        # Before padded batches only peft itself puts virtual tokens, and it runs the whole model.
        if self._has_parts() and (self.virtual is None or self.is_packed):
            self.is_split = True
            self.is_split = is_close(self._all_logits(batches), alone)
        if self.is_split:
            self._narrowed = _last_feed_forward(self.core)
            batch = batches[-1]
            end = np.array([batch.input_ids.numel() - 1])
            if not is_close(torch.cat(list(self.logits(batch, end))), alone[-1:]):
                self._narrowed = None

    def _has_states(self) -> bool:
        """Whether what stands in front of the input, if anything, is there as keys and values."""
        if self.virtual is not None:
            try:
                self.states = self.virtual.states()
            except ModelError:
                return False
        return True

    def _all_logits(self, batches: Sequence[Batch]) -> torch.Tensor:
        everywhere = [(batch, np.arange(batch.input_ids.numel())) for batch in batches]
        return torch.cat([chunk for each in everywhere for chunk in self.logits(*each)])

    def _has_parts(self) -> bool:
        head = self.core.get_output_embeddings()
        return getattr(head, "weight", None) is not None and self.core.get_decoder() != self.core

    def _inputs(self, batch: Batch) -> dict[str, Any]:
        inputs: dict[str, Any] = {"input_ids": batch.input_ids.to(self.device)}
        if batch.layout is not None:
            states = self._beginning(batch) if batch.is_begun else self.states or ()
            position_ids = batch.layout.position_ids() + length_of(states)
            inputs["position_ids"] = position_ids.to(self.device)
            inputs["layout"] = batch.layout
            if states:
                inputs["virtual_states"] = states
        return inputs

    def _beginning(self, batch: Batch) -> States:
        """Keys and values of what the inputs of a begun row share, after the virtual tokens."""
        ids = batch.inputs[0].ids[: batch.n_shared]
        if self._begun[0] != ids.tobytes():
            self._begun = (b"", ())  # two at a time would be one too many
            alone = packed_batch(PackedRow((Input(ids),), 0))
            read: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
            nowhere = torch.zeros(1, dtype=torch.int64, device=self.device)
            self._hidden(self._inputs(alone) | {"read": read}, nowhere)
            self._begun = (ids.tobytes(), tuple(read[layer] for layer in sorted(read)))
            self.n_read_apart += len(ids)
        return self._begun[1]

    def _hidden(self, inputs: dict[str, Any], where: torch.Tensor) -> torch.Tensor:
        """The last hidden states at flattened positions, (N, D)."""
        with _only_at(where, self._narrowed):
            hidden = self.core.get_decoder()(**inputs, use_cache=False).last_hidden_state
        return hidden.flatten(0, 1)[where]

    def _head(self, hidden: torch.Tensor) -> torch.Tensor:
        logits = self.core.get_output_embeddings()(hidden)
        return logits if self._cap is None else torch.tanh(logits / self._cap) * self._cap

    @property
    def _cap(self) -> float | None:
        return getattr(self.core.config.get_text_config(), "final_logit_softcapping", None)


@contextmanager
def prepare(model: Any, first: Ids, last: Ids, *, packed: bool) -> Iterator[Forward]:
    """The model ready to answer, without gradients; as it was when the block ends.

    `first` and `last` are two of the inputs to come; the shortcuts are tried on their beginnings.
    """
    with evaluating(model):
        forward = Forward(model)
        try:
            forward.try_parts(first, last, packed=packed)
            yield forward
        finally:
            _use_standard_attention(forward.core)


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """The model in evaluation mode, with standard attention and without gradients, for a while."""
    core = core_model(model)
    was_training = model.training
    was_packed = core.config._attn_implementation == PACKED_ATTENTION
    _use_standard_attention(core)
    model.eval()
    try:
        # Not inference_mode: buffers that a model makes on the way could not be trained with.
        with torch.no_grad():
            yield
    finally:
        if was_packed:
            core.set_attn_implementation(PACKED_ATTENTION)
        model.train(was_training)


def core_model(model: Any) -> Any:
    """transformers' own model inside a peft one (its layers carry the adapter), or the model."""
    return model.get_base_model() if hasattr(model, "peft_config") else model


def longest_input(model: Any) -> int | None:
    """How many tokens the model was built to read, less the virtual ones; None when unknown."""
    longest = getattr(core_model(model).config.get_text_config(), "max_position_embeddings", None)
    if longest is None:
        return None
    configs = getattr(model, "peft_config", None) or {}
    return int(longest) - sum(getattr(c, "num_virtual_tokens", 0) or 0 for c in configs.values())


def _last_feed_forward(core: Any) -> torch.nn.Module | None:
    """What the last layer does at each position by itself: a good part of all that it does."""
    try:
        return find_blocks(core)[-1].feed_forward
    except ModelError:
        return None


@contextmanager
def _only_at(where: torch.Tensor, module: torch.nn.Module | None) -> Iterator[None]:
    """For a while the module works at flattened positions alone, and gives 0 at the others.

    One that takes more than the hidden states works everywhere.
    """
    shape: list[int] = []

    def narrow(_: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> torch.Tensor | None:
        if len(given) != 1:
            return None
        shape[:] = given[0].shape[:-1]
        return given[0].flatten(0, -2)[where][None]

    def widen(_: torch.nn.Module, given: object, found: Any) -> Any:
        if not shape:
            return found
        if isinstance(found, tuple):  # experts also tell how they were chosen
            return widen(_, given, found[0]), *found[1:]
        width = found.shape[-1]
        wide = found.new_zeros((math.prod(shape), width))
        return wide.index_copy_(0, where, found.reshape(-1, width)).view(*shape, width)

    if module is None:
        yield
        return
    hooks = (module.register_forward_pre_hook(narrow), module.register_forward_hook(widen))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _use_standard_attention(core: Any) -> None:
    if core.config._attn_implementation == PACKED_ATTENTION:
        core.set_attn_implementation("sdpa" if core._supports_sdpa else "eager")


def is_close(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two ways to the same logits differ by no more than rounding."""
    tolerance = 1e-4 if other.dtype == torch.float64 else 1e-3
    return one.shape == other.shape and bool(
        (one - other).abs().max() <= tolerance * other.abs().max().clamp(min=1.0)
    )
