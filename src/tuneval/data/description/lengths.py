"""How lengths are spread: mean, quantiles, histogram, from values that stream by.

Every value is counted as long as there are no more than MOST_EXACT different ones, so that
quantiles are exact; from then on MOST_EXACT values drawn evenly from all stand for them, and the
spread says so in `n_sampled`. Mean, least, greatest and total are always exact.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

MOST_EXACT = 50_000
QUANTILES = (0.5, 0.9, 0.95, 0.99)
_MOST_BINS = 30


@dataclass(frozen=True, slots=True)
class Bin:
    """How many values are at least `low` and below `high`; None: no upper end."""

    low: int
    high: int | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Quantiles are values that occur: the least one that so large a share does not exceed."""

    n: int
    n_sampled: int | None
    total: int
    mean: float
    min: int
    median: int
    p90: int
    p95: int
    p99: int
    max: int
    histogram: tuple[Bin, ...]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


class Lengths:
    """Collects whole numbers, and gives their spread."""

    def __init__(self, *, most_exact: int = MOST_EXACT, seed: int = 17) -> None:
        self._most = most_exact
        self._chance = random.Random(seed)
        self._counts: Counter[int] = Counter()
        self._sample: list[int] | None = None
        self._n = self._total = 0
        self._min = self._max = 0

    def __len__(self) -> int:
        return self._n

    def add(self, value: int) -> None:
        """The next value."""
        self._min = value if self._n == 0 else min(self._min, value)
        self._max = value if self._n == 0 else max(self._max, value)
        self._n += 1
        self._total += value
        if self._sample is not None:
            place = self._chance.randrange(self._n)
            if place < self._most:
                self._sample[place] = value
            return
        self._counts[value] += 1
        if len(self._counts) > self._most:
            self._begin_sampling()

    def spread(self) -> Spread | None:
        """The spread of all values; None when there is none."""
        if self._n == 0:
            return None
        counts = self._counts if self._sample is None else Counter(self._sample)
        values = sorted(counts)
        up_to = list(accumulate(counts[value] for value in values))
        median, p90, p95, p99 = (
            values[bisect_left(up_to, math.ceil(share * up_to[-1]))] for share in QUANTILES
        )
        return Spread(
            n=self._n,
            n_sampled=None if self._sample is None else len(self._sample),
            total=self._total,
            mean=self._total / self._n,
            min=self._min,
            median=median,
            p90=p90,
            p95=p95,
            p99=p99,
            max=self._max,
            histogram=_histogram(values, [counts[value] for value in values], p99),
        )

    def _begin_sampling(self) -> None:
        """From exact counts to an even draw from them, as if it had been drawn all along."""
        chosen = sorted(self._chance.sample(range(self._n), self._most))
        values = list(self._counts)
        up_to = list(accumulate(self._counts.values()))
        self._sample = [values[bisect_left(up_to, place + 1)] for place in chosen]
        self._chance.shuffle(self._sample)
        self._counts = Counter()


def _histogram(values: Sequence[int], counts: Sequence[int], p99: int) -> tuple[Bin, ...]:
    """Bins of one round width up to the 99th percentile's; what is longer is in the last one."""
    start = 0 if values[0] < p99 / 2 else values[0]
    width = _round_up(max(1, math.ceil((p99 - start + 1) / _MOST_BINS)))
    start = start // width * width
    n_bins = (p99 - start) // width + 1
    sums = [0] * (n_bins + 1)
    for value, count in zip(values, counts, strict=True):
        sums[min((value - start) // width, n_bins)] += count
    bins = [
        Bin(start + number * width, start + (number + 1) * width, sums[number])
        for number in range(n_bins)
    ]
    return (*bins, Bin(start + n_bins * width, None, sums[-1])) if sums[-1] else tuple(bins)


def _round_up(width: int) -> int:
    """The least of 1, 2, 5, 10, 20, 50 … that is not smaller."""
    power = 10 ** (len(str(width)) - 1)
    rounded: int = next(power * n for n in (1, 2, 5, 10) if power * n >= width)
    return rounded
