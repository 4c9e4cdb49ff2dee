"""Average precision of detections as COCO counts it, for many sets of weights at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneval.statistics.bootstrap import weighed_without_each
from tuneval.statistics.sample import Floats

_CELLS_AT_ONCE = 500_000


@dataclass(frozen=True, slots=True)
class Matches:
    """One class's detections over all pictures, the surest first, and its true boxes.

    `picture` (d,) is where each detection is, `is_right` (thresholds, d) whether it is matched,
    `n_true` (pictures,) how many boxes of the class each picture has.
    """

    picture: NDArray[Any]
    is_right: NDArray[Any]
    n_true: Floats

    def precision(self, weights: Floats) -> Floats:
        """Average precision at each threshold for weights (rows, pictures); nan without boxes.

        Between two hits precision only falls, so that hits alone are looked at.
        """
        expected = weights @ self.n_true
        counted = weights[:, self.picture]
        said = np.cumsum(counted, axis=1)
        found = [
            _interpolated(np.cumsum(counted[:, hit], axis=1), said[:, hit], expected)
            for hit in map(np.flatnonzero, self.is_right)
        ]
        return np.where(expected > 0, np.array(found), np.nan)

    def of_each(self) -> Floats:
        """The same of each picture alone, (thresholds, pictures)."""
        order = np.argsort(self.picture, kind="stable")
        picture = self.picture[order]
        n_said = np.bincount(picture, minlength=len(self.n_true))
        place = np.arange(len(picture)) - (np.cumsum(n_said) - n_said)[picture]
        said = np.arange(1, n_said.max(initial=0) + 1) * np.ones((len(self.n_true), 1))
        found = []
        for hit in self.is_right[:, order]:
            hits = np.zeros_like(said)
            hits[picture, place] = hit
            found.append(_interpolated(np.cumsum(hits, axis=1), said, self.n_true))
        return np.where(self.n_true > 0, np.array(found), np.nan)


def _interpolated(hits: Floats, said: Floats, expected: Floats) -> Floats:
    """The mean over 101 levels of recall of the best precision at that recall or above.

    `hits` of `said` detections so far, (rows, steps), and the boxes that there are, (rows,); all
    of them whole numbers.
    """
    rows, steps = hits.shape
    if not steps:
        return np.zeros(rows)
    precision = hits / np.maximum(said, np.spacing(1))
    best = np.zeros((rows, steps + 1))
    best[:, :-1] = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    # All rows one behind the other rise, where each begins above the end of the one before it.
    most = hits.max() + 1
    above = most * np.arange(rows)[:, None]
    needed = np.minimum(_hits_for_levels(expected), most) + above
    reached = np.searchsorted((hits + above).ravel(), needed.ravel()).reshape(rows, -1)
    steps_on = reached - steps * np.arange(rows)[:, None]
    return np.asarray(np.take_along_axis(best, steps_on, axis=1).mean(axis=1))


def _hits_for_levels(expected: Floats) -> Floats:
    """The fewest hits of so many boxes whose recall, as a float, is each of the levels or more."""
    levels, boxes = np.linspace(0, 1, 101), np.maximum(expected, 1)[:, None]
    hits = np.floor(levels * boxes)
    return np.asarray(hits + (hits / boxes < levels))


@dataclass(frozen=True, slots=True)
class MeanPrecision:
    """The mean over classes that are there, and thresholds; nan where no class is there."""

    classes: Sequence[Matches]

    def __call__(self, weights: Floats) -> Floats:
        """As in `LeavesOut`."""
        widest = max([len(matches.picture) for matches in self.classes], default=0) or 1
        blocks = np.array_split(weights, -(-len(weights) * widest // _CELLS_AT_ONCE))
        return np.concatenate([self._mean(block) for block in blocks])

    def _mean(self, weights: Floats) -> Floats:
        if not self.classes:
            return np.full(len(weights), np.nan)
        return _over_classes([matches.precision(weights) for matches in self.classes])

    def without_each(self, weights: Floats, members: NDArray[np.intp]) -> Floats:
        """As in `LeavesOut`."""
        return weighed_without_each(self, weights, members)

    def of_each(self) -> Floats:
        """As in `LeavesOut`."""
        return _over_classes([matches.of_each() for matches in self.classes])


def _over_classes(precisions: Sequence[Floats]) -> Floats:
    """Of each class (thresholds, rows): the mean over thresholds, and classes that are there."""
    values = np.array([precision.mean(axis=0) for precision in precisions])
    is_there = ~np.isnan(values)
    n_there = is_there.sum(axis=0)
    total = np.where(is_there, values, 0.0).sum(axis=0)
    return np.asarray(total / np.where(n_there > 0, n_there, np.nan))
