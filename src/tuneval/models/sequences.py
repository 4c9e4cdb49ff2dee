"""Which token sequences must go through a model so that many questions can be answered.

A question is "how likely is `target` after `context`". The model has to read `context + target`
without its last token; equal inputs are read once, and an input that begins another is read off
the longer one. Rows of packed inputs are cut where counting tokens says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]

# Starting a row of its own is worth it only above this many tokens saved (measured on a CPU:
# a row costs about as much as so many tokens before its first token is counted).
ROW_OVERHEAD_TOKENS = 32
# A shared beginning below this is not worth attending to apart.
SHORTEST_SHARED_PREFIX = 16
# A pass of fewer tokens spends its time on reading the weights.
WORTH_READING_APART = 128
# Of the tokens of a padded batch.
MOST_PADDING = 0.05


@dataclass(frozen=True, slots=True)
class Request:
    """How likely is `target` after `context`? Token ids; the context has at least one."""

    context: Sequence[int] | Ids
    target: Sequence[int] | Ids


@dataclass(frozen=True, slots=True)
class Reading:
    """Answer request `request` from the outputs at `start`, `start + 1`, … of an input."""

    request: int
    start: int
    targets: Ids


@dataclass(frozen=True, slots=True)
class Input:
    """Ids that the model reads once, and what is read off its outputs."""

    ids: Ids
    readings: list[Reading] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class PackedRow:
    """Inputs laid end to end; the first `n_shared` tokens, equal in all, stand there once.

    `is_begun`: they do not stand there at all, but before the row, as keys and values that were
    read apart; nothing is read off their outputs.
    """

    inputs: tuple[Input, ...]
    n_shared: int
    is_begun: bool = False

    def __len__(self) -> int:
        own = sum(len(i) - self.n_shared for i in self.inputs)
        return own if self.is_begun else self.n_shared + own


def distinct_inputs(requests: Sequence[Request]) -> list[Input]:
    """The fewest inputs that answer all requests, in lexicographic order.

    Neighbours share as much of their beginnings as they can. A request without a target needs
    no input.
    """
    keyed = []
    for index, request in enumerate(requests):
        if len(request.target):
            parts = [np.asarray(part, np.int32) for part in (request.context, request.target)]
            ids = np.concatenate(parts)
            # Big-endian bytes of non-negative ids sort and begin one another as the ids do.
            keyed.append((ids[:-1].astype(">i4").tobytes(), index, ids))
    keyed.sort(key=lambda row: row[:2])
    inputs: list[Input] = []
    longer = b""
    for key, index, ids in reversed(keyed):
        if not inputs or not longer.startswith(key):
            inputs.append(Input(ids[:-1]))
            longer = key
        n_context = len(requests[index].context)
        inputs[-1].readings.append(Reading(index, n_context - 1, ids[n_context:]))
    return inputs[::-1]


def common_prefix(a: Ids, b: Ids) -> int:
    """How many tokens two sequences begin with alike."""
    n = min(len(a), len(b))
    different = np.flatnonzero(a[:n] != b[:n])
    return int(different[0]) if len(different) else n


def shared_beginnings(sequences: Sequence[Ids]) -> Iterator[tuple[list[int], int]]:
    """Groups of sequences, by index, and how many tokens the members of each begin with alike.

    One joins a group where that saves more tokens than it makes the others' beginning shorter.
    No group shares a whole sequence: something of each is always its own.
    """
    # Big-endian bytes of non-negative ids sort as the ids do.
    order = sorted(range(len(sequences)), key=lambda i: sequences[i].astype(">i4").tobytes())
    group: list[int] = []
    shared = 0
    for index in order:
        own = len(sequences[index]) - 1
        if group:
            joined = min(shared, common_prefix(sequences[group[-1]], sequences[index]), own)
            loss = (shared - joined) * (len(group) - 1)
            if joined >= SHORTEST_SHARED_PREFIX and joined >= loss:
                group.append(index)
                shared = joined
                continue
            yield group, shared if len(group) > 1 else 0
        group, shared = [index], own
    if group:
        yield group, shared if len(group) > 1 else 0


def packed_rows(
    inputs: Sequence[Input],
    token_budget: int,
    *,
    preferred: int | None = None,
    most: int | None = None,
) -> Iterator[PackedRow]:
    """Rows of at most `token_budget` tokens (an input longer than that has one of its own).

    No row holds more than `most` inputs.
    `inputs` come in lexicographic order. The next one joins the row unless that shortens the
    shared beginning by more than a row of its own would cost. Beyond `preferred` tokens only
    those join that share most of themselves.
    """
    row: list[Input] = []
    shared = 0
    length = 0
    for item in inputs:
        if row:
            joined = min(shared, common_prefix(row[-1].ids, item.ids), len(item) - 1)
            joined = joined if joined >= SHORTEST_SHARED_PREFIX else 0
            extra = len(item) - joined + (shared - joined) * (len(row) - 1)
            room = token_budget
            if preferred is not None and 2 * extra > len(item):
                room = min(preferred, token_budget)
            is_full = length + extra > room or len(row) == most
            if not is_full and extra <= len(item) + ROW_OVERHEAD_TOKENS:
                row.append(item)
                shared = joined
                length += extra
                continue
            yield _row(row, shared)
        row = [item]
        shared = len(item) - 1
        length = len(item)
    if row:
        yield _row(row, shared)


def begun_rows(rows: Iterable[PackedRow], size: int) -> Iterator[PackedRow]:
    """The same inputs in even rows of about `size` tokens, where the shared beginning is long.

    What is shared is then read apart, once for all the rows that follow one another with it.
    """
    for row in rows:
        is_used = any(reading.start < row.n_shared for i in row.inputs for reading in i.readings)
        if len(row) <= size or row.n_shared < WORTH_READING_APART or is_used:
            yield row
            continue
        ends = np.cumsum([len(item) - row.n_shared for item in row.inputs])
        n_rows = np.ceil(ends[-1] / size)
        # An input goes where the middle of its own tokens falls.
        middles = (np.append(0, ends[:-1]) + ends) / 2
        places = (middles * n_rows / ends[-1]).astype(int)
        for place in np.unique(places):
            part = tuple(i for i, p in zip(row.inputs, places, strict=True) if p == place)
            yield PackedRow(part, row.n_shared, is_begun=True)


def padded_batches(
    inputs: Sequence[Input], token_budget: int, *, most: int | None = None
) -> Iterator[tuple[Input, ...]]:
    """Batches of inputs of like length, longest first: rows × longest is at most `token_budget`.

    No batch is padded by more than `MOST_PADDING` of its tokens, nor has more than `most` rows.
    """
    batch: list[Input] = []
    n_tokens = 0
    for item in sorted(inputs, key=len, reverse=True):
        padded = len(batch[0]) * (len(batch) + 1) if batch else 0
        is_full = padded > token_budget or len(batch) == most
        if is_full or n_tokens + len(item) < (1 - MOST_PADDING) * padded:
            yield tuple(batch)
            batch, n_tokens = [], 0
        batch.append(item)
        n_tokens += len(item)
    if batch:
        yield tuple(batch)


def _row(inputs: list[Input], shared: int) -> PackedRow:
    return PackedRow(tuple(inputs), shared if len(inputs) > 1 else 0)
