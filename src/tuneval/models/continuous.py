"""Continuous batching: a row that has its answer gives its place to the next prompt at once.

Every pass of the model holds the newest token of each live row and, where places are free, whole
prompts. What prompts begin with alike is read once, before the first of them.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch

from tuneval.models.answer import Answer, Completion, IsFinished, Prompt, never, next_tokens
from tuneval.models.decoding import State
from tuneval.models.forward import is_close
from tuneval.models.kv_cache import places_after
from tuneval.models.packed_attention import States, can_be_packed, length_of
from tuneval.models.sampling import Sampling
from tuneval.models.sequences import Ids, shared_beginnings
from tuneval.models.slots import SLOT_ATTENTION, Piece, Slots

# Of prompts in one pass: the live rows wait for it.
PROMPT_TOKENS = 1024
# So many times as many places are worth copying all keys and values for.
WORTH_MOVING = 1.25
# More rows than these make no answer cheaper: a pass is as slow as it has tokens (measured on a
# CPU: 64 rows cost 1.8 times what 32 do, 32 rows 1.6 times what 16 do).
MOST_ROWS, MOST_ROWS_ON_CPU = 256, 64
PROBE_TOKENS = 8
# Of models that were tried: whether it holds, by the number of virtual tokens before the prompt.
_TRIED: WeakKeyDictionary[Any, dict[int, bool]] = WeakKeyDictionary()


def decode_continuously(
    model: Any,
    prompts: Sequence[Prompt],
    *,
    stop_ids: frozenset[int],
    is_finished: IsFinished = never,
    virtual_states: States = (),
    token_budget: int,
    batch_size: int,
) -> Generator[tuple[int, Completion], None, None]:
    """Index and completion of each prompt as it ends. Use in `evaluating(model)`.

    `virtual_states` come before every prompt, in each layer. `token_budget` bounds the tokens
    that there is room for, prompts and answers; a prompt that needs more is answered alone.
    `batch_size` bounds the live rows. Give only models of which `can_be_continuous` says so.
    """
    queue = _Queue(prompts, virtual_states)
    rows: list[Answer] = []
    with _slot_attention(model):
        reader = _Reader(model, batch_size)
        while rows or queue:
            reader.make_room(queue.width(rows), token_budget, n_wanted=len(rows) + len(queue))
            taken = queue.take(reader.n_free)
            tokens = [row.said[-1] for row in rows]
            rows += [Answer(prompt) for prompt, _ in taken]
            logits = reader.read(tokens, taken)
            ended = [
                row.hear(token, stop_ids, is_finished)
                for row, token in zip(rows, next_tokens(logits, rows), strict=True)
            ]
            for row, completion in zip(rows, ended, strict=True):
                if completion is not None:
                    yield row.prompt.index, completion
            if any(ended):
                order, moved = places_after([completion is None for completion in ended])
                reader.slots.leave(order, moved)
                rows = [rows[place] for place in order]


def most_rows(model: Any) -> int:
    """How many rows at a time make answers cheaper."""
    on_cpu = next(model.parameters()).device.type == "cpu"
    return MOST_ROWS_ON_CPU if on_cpu else MOST_ROWS


def can_be_continuous(model: Any, ids: Ids, virtual_states: States) -> bool:
    """Whether a model gives the same logits this way; tried once, on the first of the ids."""
    tried = _TRIED.setdefault(model, {})
    n_virtual = length_of(virtual_states)
    if n_virtual not in tried:
        tried[n_virtual] = can_be_packed(model) and _gives_the_same(model, ids, virtual_states)
    return tried[n_virtual]


def _gives_the_same(model: Any, ids: Ids, virtual_states: States) -> bool:
    probe = Prompt(0, ids[:PROBE_TOKENS], 2, Sampling(), 0)
    state = State(model, [probe], virtual_states)
    first = state.read_prompts()
    token = int(first.argmax())
    expected = [first, state.read([token])]
    with _slot_attention(model):
        reader = _Reader(model, 1)
        reader.make_room(probe.size + length_of(virtual_states), token_budget=1, n_wanted=1)
        found = [
            reader.read([], [(probe, _Beginning(probe.ids[:0], virtual_states))]),
            reader.read([token], []),
        ]
    return is_close(torch.cat(found), torch.cat(expected))


@dataclass(slots=True)
class _Beginning:
    """Ids that some prompts begin with; `states` hold what was read, first what stands before."""

    ids: Ids
    states: States
    is_read: bool = False

    def __post_init__(self) -> None:
        self.is_read = not len(self.ids)


class _Queue:
    """Prompts in the order they are taken: the longest first, beside those that begin alike."""

    def __init__(self, prompts: Sequence[Prompt], virtual_states: States) -> None:
        self._n_virtual = length_of(virtual_states)
        groups = []
        for places, n_shared in shared_beginnings([prompt.ids for prompt in prompts]):
            group = sorted((prompts[place] for place in places), key=lambda p: -len(p.ids))
            groups.append((group, group[0].ids[:n_shared]))
        groups.sort(key=lambda pair: -len(pair[0][0].ids))
        self._waiting: deque[tuple[Prompt, _Beginning]] = deque()
        for group, ids in groups:
            beginning = _Beginning(ids, virtual_states)
            self._waiting.extend((prompt, beginning) for prompt in group)
        # The largest size from each place on.
        sizes = np.array([prompt.size for prompt, _ in self._waiting], np.int64)
        self._largest = np.maximum.accumulate(sizes[::-1])[::-1]

    def __len__(self) -> int:
        return len(self._waiting)

    def width(self, rows: Sequence[Answer]) -> int:
        """The most tokens that one of these rows, or of those to come, may hold."""
        to_come = self._largest[len(self._largest) - len(self)] if self._waiting else 0
        return self._n_virtual + max(int(to_come), *(row.prompt.size for row in rows), 0)

    def take(self, n_places: int) -> list[tuple[Prompt, _Beginning]]:
        """The next prompts, as many as there is room for and one pass should read."""
        taken: list[tuple[Prompt, _Beginning]] = []
        n_tokens = 0
        while self._waiting and len(taken) < n_places:
            prompt, beginning = self._waiting[0]
            n_tokens += len(prompt.ids) - len(beginning.ids)
            if taken and n_tokens > PROMPT_TOKENS:
                break
            taken.append(self._waiting.popleft())
        return taken


class _Reader:
    """The model with its slots."""

    def __init__(self, model: Any, batch_size: int) -> None:
        self.model = model
        self.device = next(model.parameters()).device
        self.slots = Slots(0, 0, device=self.device)
        self._batch_size = batch_size
        self._keeps = "logits_to_keep" in inspect.signature(model.forward).parameters

    @property
    def n_free(self) -> int:
        """Places for more rows."""
        return self.slots.rows - len(self.slots.lengths)

    def make_room(self, width: int, token_budget: int, *, n_wanted: int) -> None:
        """Places of `width` tokens within the budget, at least one and no more than are wanted."""
        slots = self.slots
        rows = max(1, min(n_wanted, token_budget // width, self._batch_size))
        if width > slots.width or rows > WORTH_MOVING * slots.rows:
            slots.resize(max(rows, len(slots.lengths)), width)

    def read(
        self, tokens: Sequence[int], prompts: Sequence[tuple[Prompt, _Beginning]]
    ) -> torch.Tensor:
        """Logits after the newest token of each live row and after each prompt, (n, V)."""
        for _, beginning in prompts:
            if not beginning.is_read:
                self._forward(
                    [], [beginning.ids], [Piece(len(beginning.ids), beginning.states, False)]
                )
                beginning.states = self.slots.last_read()
                beginning.is_read = True
        own = [prompt.ids[len(beginning.ids) :] for prompt, beginning in prompts]
        pieces = [
            Piece(len(ids), beginning.states, is_row=True)
            for ids, (_, beginning) in zip(own, prompts, strict=True)
        ]
        return self._forward(tokens, own, pieces)

    def _forward(
        self, tokens: Sequence[int], read: Sequence[Ids], pieces: Sequence[Piece]
    ) -> torch.Tensor:
        ids = np.concatenate([np.array(tokens, np.int32), *read]).astype(np.int64)
        ends = len(tokens) + np.cumsum([len(piece) for piece in read], dtype=np.int64) - 1
        where = torch.from_numpy(np.concatenate([np.arange(len(tokens)), ends]))
        where = where.to(self.device)
        asked: dict[str, Any] = {"logits_to_keep": where} if self._keeps else {}
        logits = self.model(
            input_ids=torch.from_numpy(ids)[None].to(self.device),
            position_ids=self.slots.begin(len(tokens), pieces),
            slots=self.slots,
            use_cache=False,
            **asked,
        ).logits[0]
        self.slots.end()
        return (logits if self._keeps else logits[where]).float()


@contextmanager
def _slot_attention(model: Any) -> Iterator[None]:
    """The model with attention into slots, for a while."""
    before = model.config._attn_implementation
    model.set_attn_implementation(SLOT_ATTENTION)
    try:
        yield
    finally:
        model.set_attn_implementation(before)
