"""A figure made of several others over the same items, all of them resampled together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneval.statistics.bootstrap import LeavesOut, WeightedStatistic
from tuneval.statistics.sample import Floats

Combine = Callable[[Mapping[str, Floats]], Floats]
"""Figures by name, arrays of one shape, to an array of that shape."""


def combined_statistic(
    parts: Mapping[str, WeightedStatistic], combine: Combine
) -> WeightedStatistic:
    """`combine` of the parts' figures; nan where that is no finite number."""
    known = {name: part for name, part in parts.items() if isinstance(part, LeavesOut)}
    if len(known) == len(parts):
        return _KnownCombination(known, combine)
    return _Combination(parts, combine)


@dataclass(frozen=True)
class _Combination:
    parts: Mapping[str, WeightedStatistic]
    combine: Combine

    def __call__(self, weights: Floats) -> Floats:
        return self._value(lambda part: part(weights))

    def _value(self, of_part: Callable[..., Floats]) -> Floats:
        with np.errstate(all="ignore"):
            figures = {name: of_part(part) for name, part in self.parts.items()}
            value = np.asarray(self.combine(figures), dtype=np.float64)
        return np.where(np.isfinite(value), value, np.nan)


@dataclass(frozen=True)
class _KnownCombination(_Combination):
    parts: Mapping[str, LeavesOut]

    def without_each(self, weights: Floats, members: NDArray[np.intp]) -> Floats:
        return self._value(lambda part: part.without_each(weights, members))

    def of_each(self) -> Floats:
        return self._value(lambda part: part.of_each())
