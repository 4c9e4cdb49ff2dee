"""The ROC curve, and the area under it as a function of how often each item is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuneval.errors import StatisticsError
from tuneval.statistics.bootstrap import LeavesOut
from tuneval.statistics.sample import Floats, finite_numbers

_ROUNDING = 1e-12


def weighted_auc(scores: ArrayLike, is_positive: Sequence[bool]) -> LeavesOut:
    """The area as a function of how often each item is counted; nan without one of the classes."""
    numbers = finite_numbers(scores, name="scores")
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-np.inf))
    return _WeightedArea(numbers, np.asarray(is_positive, dtype=bool), order, starts)


def mean_weighted_auc(areas: Sequence[LeavesOut], n: int) -> LeavesOut:
    """The mean of several areas over the same n items; nan without any."""
    return _MeanArea(tuple(areas), n)


@dataclass(frozen=True)
class _WeightedArea:
    """`order` is that of rising scores, `starts` where each score begins in it."""

    scores: Floats
    positive: NDArray[np.bool_]
    order: NDArray[np.intp]
    starts: NDArray[np.intp]

    def __call__(self, weights: Floats) -> Floats:
        above, below = self._by_score(weights)
        beaten = np.cumsum(below, axis=1) - below / 2
        return _share((above * beaten).sum(axis=1), above.sum(axis=1), below.sum(axis=1))

    def without_each(self, weights: Floats, members: NDArray[np.intp]) -> Floats:
        above, below = (part[0] for part in self._by_score(weights[None]))
        beaten = np.cumsum(below) - below / 2
        # What each item adds to the sum over pairs, every pair counted with both of its items.
        of_score = np.empty(len(weights), dtype=np.intp)
        sizes = np.diff(self.starts, append=len(weights))
        of_score[self.order] = np.repeat(np.arange(len(sizes)), sizes)
        lost = above[::-1].cumsum()[::-1] - above / 2
        won = np.where(self.positive, beaten[of_score], lost[of_score])
        pairs = float(above @ beaten)
        own, ours, theirs = (
            np.bincount(members, weights * part) for part in (won, self.positive, ~self.positive)
        )
        left = pairs - own + self._within(weights, members, ours * theirs > 0)
        return _share(left, above.sum() - ours, below.sum() - theirs)

    def of_each(self) -> Floats:
        return np.full(len(self.scores), np.nan)

    def _by_score(self, weights: Floats) -> tuple[Floats, Floats]:
        """The weight of the positive and of the other items at each score, (rows, scores)."""
        ordered, positive = weights[:, self.order], self.positive[self.order]
        above = np.add.reduceat(ordered * positive, self.starts, axis=1)
        return above, np.add.reduceat(ordered * ~positive, self.starts, axis=1)

    def _within(
        self, weights: Floats, members: NDArray[np.intp], is_mixed: NDArray[np.bool_]
    ) -> Floats:
        """The pairs that have both of their items in one cluster, (n_clusters,)."""
        found = np.zeros(len(is_mixed))
        counted = np.flatnonzero((weights > 0) & is_mixed[members])
        counted = counted[np.argsort(members[counted], kind="stable")]
        for places in np.split(counted, np.flatnonzero(np.diff(members[counted])) + 1):
            ours, theirs = places[self.positive[places]], places[~self.positive[places]]
            gaps = self.scores[ours][:, None] - self.scores[theirs]
            won = (gaps > 0) + (gaps == 0) / 2
            if places.size:
                found[members[places[0]]] = weights[ours] @ won @ weights[theirs]
        return found


@dataclass(frozen=True)
class _MeanArea:
    areas: tuple[LeavesOut, ...]
    n: int

    def __call__(self, weights: Floats) -> Floats:
        return self._mean([area(weights) for area in self.areas], len(weights))

    def without_each(self, weights: Floats, members: NDArray[np.intp]) -> Floats:
        left = [area.without_each(weights, members) for area in self.areas]
        return self._mean(left, int(members.max()) + 1)

    def of_each(self) -> Floats:
        return np.full(self.n, np.nan)

    def _mean(self, areas: Sequence[Floats], size: int) -> Floats:
        return np.asarray(np.mean(areas, axis=0) if areas else np.full(size, np.nan))


def _share(won: Floats, positive: Floats, negative: Floats) -> Floats:
    pairs = positive * negative
    with np.errstate(invalid="ignore"):
        return np.asarray(won / np.where(pairs > 0, pairs, np.nan))


@dataclass(frozen=True, slots=True)
class RocPoint:
    """Where items that score `threshold` or more are called positive."""

    threshold: float
    false_positive_rate: float
    true_positive_rate: float


def roc_points(scores: ArrayLike, is_positive: Sequence[bool]) -> list[RocPoint]:
    """The corners of the curve, from the highest score down; (0, 0) itself is left out."""
    numbers = finite_numbers(scores, name="scores")
    positive = both_classes(is_positive, len(numbers))
    order = np.argsort(-numbers, kind="stable")
    ordered = numbers[order]
    ends = np.flatnonzero(np.concatenate([ordered[1:] != ordered[:-1], [True]]))
    true = np.cumsum(positive[order])[ends] / positive.sum()
    false = np.cumsum(~positive[order])[ends] / (~positive).sum()
    # A point on the line between its neighbours is no corner.
    steps = np.diff(np.column_stack([false, true]), axis=0, prepend=[[0.0, 0.0]])
    turns = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
    is_corner = np.concatenate([np.abs(turns) > _ROUNDING, [True]])
    return [
        RocPoint(float(ordered[end]), float(f), float(t))
        for end, f, t, corner in zip(ends, false, true, is_corner, strict=True)
        if corner
    ]


def both_classes(is_positive: Sequence[bool], n: int) -> NDArray[np.bool_]:
    """Which of n items are positive. Raises StatisticsError unless some are and some are not."""
    positive = np.asarray(is_positive, dtype=bool)
    if len(positive) != n:
        raise StatisticsError(f"There are {n} scores but {len(positive)} classes.")
    if positive.all() or not positive.any():
        raise StatisticsError(
            "All items are of one class: there is no pair to put in order.",
            mend="give positive and negative items",
        )
    return positive
