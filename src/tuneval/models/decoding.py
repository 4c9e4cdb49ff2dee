"""One batch of prompts, token by token, until each has its answer.

For models that `continuous` cannot serve: those with states or windows instead of keys and values
of every token, or with an attention of their own.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from tuneval.models.answer import Answer, Completion, IsFinished, Prompt, never, next_tokens
from tuneval.models.kv_cache import (
    begin_with,
    is_roomy,
    keep_rows,
    make_cache,
    places_after,
    share_rows,
)
from tuneval.models.packed_attention import States, length_of
from tuneval.models.sequences import SHORTEST_SHARED_PREFIX, common_prefix


def decode_in_batches(
    model: Any,
    prompts: Sequence[Prompt],
    *,
    stop_ids: frozenset[int],
    is_finished: IsFinished = never,
    virtual_states: States = (),
    token_budget: int,
    batch_size: int,
) -> Generator[tuple[int, Completion], None, None]:
    """Index and completion of each prompt as it ends, batch by batch of prompts of like length.

    Rows × (prompt + answer) is at most `token_budget` in each, and there are no more rows than
    `batch_size`. Use in `evaluating(model)`.
    """
    # A window counts places: padding must not lie between a prompt and what is put before it.
    unpadded = bool(virtual_states) and not is_roomy(make_cache(model.config, rows=1, capacity=1))
    longest_first = sorted(prompts, key=lambda prompt: -len(prompt.ids))
    for batch in _batches(longest_first, token_budget, batch_size, unpadded=unpadded):
        yield from decode(
            model,
            batch,
            stop_ids=stop_ids,
            is_finished=is_finished,
            virtual_states=virtual_states,
        )


def decode(
    model: Any,
    prompts: Sequence[Prompt],
    *,
    stop_ids: frozenset[int],
    is_finished: IsFinished = never,
    virtual_states: States = (),
) -> Generator[tuple[int, Completion], None, None]:
    """Index and completion of each prompt of one batch as it ends.

    `virtual_states` come before every prompt, in each layer.
    """
    rows = [Answer(prompt) for prompt in prompts]
    state = State(model, prompts, virtual_states)
    logits = state.read_prompts()
    while rows:
        tokens = next_tokens(logits, rows)
        ended = [
            row.hear(token, stop_ids, is_finished) for row, token in zip(rows, tokens, strict=True)
        ]
        for row, completion in zip(rows, ended, strict=True):
            if completion is not None:
                yield row.prompt.index, completion
        if any(ended):
            order, moved = places_after([completion is None for completion in ended])
            rows = [rows[place] for place in order]
            tokens = [tokens[place] for place in order]
            if rows:
                state.keep(order, moved)
        if rows:
            logits = state.read(tokens)


def _batches(
    waiting: Sequence[Prompt], token_budget: int, batch_size: int, *, unpadded: bool
) -> Iterator[list[Prompt]]:
    """`unpadded`: only prompts of the same length come together."""
    batch: list[Prompt] = []
    for prompt in waiting:
        differs = unpadded and bool(batch) and len(prompt.ids) != len(batch[0].ids)
        is_full = len(batch) == batch_size or _size([*batch, prompt]) > token_budget
        if batch and (is_full or differs):
            yield batch
            batch = []
        batch.append(prompt)
    if batch:
        yield batch


def _size(batch: Sequence[Prompt]) -> int:
    width = max(len(prompt.ids) for prompt in batch) + max(prompt.limit for prompt in batch)
    return len(batch) * width


class State:
    """What the model has read so far, for every row that still speaks."""

    def __init__(self, model: Any, prompts: Sequence[Prompt], virtual_states: States) -> None:
        self.model = model
        self.device = next(model.parameters()).device
        self.prompts = prompts
        self.n_virtual = length_of(virtual_states)
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

    def read(self, tokens: Sequence[int]) -> torch.Tensor:
        """Logits (B, V) after one more token in each row."""
        self.mask[:, self.length] = 1
        logits = self._forward(
            torch.tensor(tokens)[:, None],
            self.next_position[:, None],
            self.mask[:, : self.length + 1],
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
