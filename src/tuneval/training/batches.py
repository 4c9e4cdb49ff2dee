"""Rows of packed examples, and the micro-batches made of them.

A micro-batch is always one row without padding: the documents of its rows laid end to end, each
seeing only itself. What all of them begin with (a system prompt, say) stands there once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from tuneval.models.packed_attention import Layout
from tuneval.tokenization import Tokens, pack

SHORTEST_SHARED_PREFIX = 8
"""Sharing fewer tokens than this costs more in small tensor work than it saves."""


@dataclass(frozen=True, slots=True)
class Row:
    """The examples that are trained together as one row."""

    documents: tuple[Tokens, ...]

    def __len__(self) -> int:
        return sum(map(len, self.documents))


class Rows(Dataset[Row]):
    """All rows of a training set, in a fixed order."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Row:
        return self.rows[index]

    @property
    def n_tokens(self) -> int:
        """Tokens in all rows."""
        return sum(map(len, self.rows))


class EpochSampler(Sampler[int]):
    """A seeded order that depends on nothing but the seed and the epoch, so a resume repeats it."""

    def __init__(self, length: int, seed: int) -> None:
        self.length = length
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order `__iter__` gives."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.length)
        return iter(order.tolist())

    def __len__(self) -> int:
        return self.length


def make_rows(tokens: Sequence[Tokens], *, max_length: int, packing: bool) -> Rows:
    """Pack examples into rows of at most `max_length` tokens, or give each a row of its own."""
    if not packing:
        return Rows([Row((t,)) for t in tokens])
    packed = pack([len(t) for t in tokens], max_length)
    return Rows([Row(tuple(tokens[i] for i in indices)) for indices in packed])


@dataclass(frozen=True, slots=True)
class Collate:
    """Rows -> the tensors of one micro-batch.

    `input_ids`, `position_ids` (1, T); `target_positions` (K,): the positions whose output
    predicts a target; `labels`, `shift_labels` (1, K): the targets themselves, already aligned;
    `layout`: where the documents lie; `documents`: what it was made of.
    """

    share_prefix: bool = True

    def __call__(self, rows: Sequence[Row]) -> dict[str, Any]:
        """The micro-batch of these rows."""
        documents = [document for row in rows for document in row.documents]
        n_shared = shared_prefix_length(documents) if self.share_prefix else 0
        ids = [documents[0].ids[:n_shared]] if n_shared else []
        positions, targets, spans = [], [], []
        start = n_shared
        for document in documents:
            own = document.ids[n_shared:]
            target_index = np.flatnonzero(document.loss_mask[1:]) + 1
            positions.append(target_index - n_shared + start - 1)
            targets.append(document.ids[target_index])
            ids.append(own)
            spans.append((start, start + len(own)))
            start += len(own)
        layout = Layout(n_shared, tuple(spans))
        labels = torch.from_numpy(np.concatenate(targets).astype(np.int64))[None]
        return {
            "input_ids": torch.from_numpy(np.concatenate(ids).astype(np.int64))[None],
            "position_ids": layout.position_ids(),
            "target_positions": torch.from_numpy(np.concatenate(positions)),
            "labels": labels,
            "shift_labels": labels,  # the Trainer counts these for token-weighted accumulation
            "layout": layout,
            "documents": tuple(documents),
        }


def shared_prefix_length(documents: Sequence[Tokens]) -> int:
    """Tokens that all documents begin with and that predict no target; 0 when too few to pay."""
    if len(documents) < 2:
        return 0
    # The token before the first target must be a document's own: its output is read.
    limit = min(int(d.loss_mask[1:].argmax()) for d in documents)
    first = documents[0].ids[:limit]
    for document in documents[1:]:
        different = np.flatnonzero(document.ids[: len(first)] != first)
        if len(different):
            first = first[: different[0]]
    return len(first) if len(first) >= SHORTEST_SHARED_PREFIX else 0
