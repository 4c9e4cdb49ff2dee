"""Which records of a set an entry takes: a slice of a split, a random sample."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from tuneval.data.finding import Finding
from tuneval.data.record import Record
from tuneval.errors import UsageError

Records = Callable[[], Iterator[Record | Finding]]
_END = r"-?\d+%?"
_SPLIT = re.compile(rf"(?P<name>[^\[\]+]+)(\[(?P<start>{_END})?:(?P<stop>{_END})?\])?")


@dataclass(frozen=True, slots=True)
class Split:
    """`train`, or a part of it: `train[:1000]`, `train[-500:]`, `train[10%:20%]`."""

    name: str
    start: str | None = None
    stop: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of the split is wanted."""
        return self.start is None and self.stop is None

    @property
    def needs_count(self) -> bool:
        """Whether the part can be told only when the number of records is known."""
        return any(end is not None and end.strip("0123456789") for end in (self.start, self.stop))

    def range_of(self, n_records: int) -> range:
        """The places of the wanted records among `n_records`. Percentages are rounded to closest.

        What lies beyond the end is left out.
        """
        return range(n_records)[_place(self.start, n_records) : _place(self.stop, n_records)]


def split_of(text: str, *, where: str) -> Split:
    """A split as `datasets` writes it. UsageError when it cannot be understood."""
    found = _SPLIT.fullmatch(text)
    if found is None:
        raise UsageError(
            f"The split '{text}' cannot be understood.",
            where=where,
            mend="write a name, or a part of it: train, train[:1000], train[10%:20%]",
        )
    return Split(found["name"], found["start"], found["stop"])


def sliced(records: Records, split: Split) -> Iterator[Record | Finding]:
    """The records of a part of the set, in order; what is said about the file stays."""
    if split.is_whole:
        yield from records()
        return
    wanted = split.range_of(_count(records) if split.needs_count else sys.maxsize)
    place = 0
    for item in records():
        if isinstance(item, Finding):
            yield item
            continue
        if place >= wanted.stop:
            return
        if place >= wanted.start:
            yield item
        place += 1


def sampled(records: Records, n_samples: int, *, seed: int) -> Iterator[Record | Finding]:
    """So many records at random, in the order of the set. The set is read twice, never held.

    A set that is too small is given whole, and then again as many of its records as are missing,
    drawn with repetition. The records are those that LLaMA-Factory draws after
    `numpy.random.seed(seed)`; it shuffles them as well.
    """
    draw = np.random.RandomState(seed)  # the older generator: its numbers never change
    n_records = _count(records)
    first = draw.permutation(n_records)[:n_samples]
    yield from _repeated(records, np.bincount(first, minlength=n_records), with_findings=True)
    if n_records and n_samples > n_records:
        more = draw.choice(n_records, n_samples - n_records)
        yield from _repeated(records, np.bincount(more, minlength=n_records))


def _repeated(
    records: Records, times: np.ndarray, *, with_findings: bool = False
) -> Iterator[Record | Finding]:
    place = 0
    for item in records():
        if isinstance(item, Finding):
            if with_findings:
                yield item
            continue
        yield from repeat(item, int(times[place]))
        place += 1


def _count(records: Records) -> int:
    return sum(isinstance(item, Record) for item in records())


def _place(end: str | None, n_records: int) -> int | None:
    if end is None:
        return None
    if end.endswith("%"):
        return round(int(end[:-1]) * n_records / 100)
    return int(end)
