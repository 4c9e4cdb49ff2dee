"""The ROC curve, and the area under it as a function of how often each item is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuneval.errors import StatisticsError
from tuneval.statistics.bootstrap import WeightedStatistic
from tuneval.statistics.sample import Floats, finite_numbers

_ROUNDING = 1e-12


def weighted_auc(scores: ArrayLike, is_positive: Sequence[bool]) -> WeightedStatistic:
    """The area as a function of how often each item is counted; nan without one of the classes."""
    numbers = finite_numbers(scores, name="scores")
    order = np.argsort(numbers, kind="stable")
    ordered, positive = numbers[order], np.asarray(is_positive, dtype=bool)[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))

    def area(weights: Floats) -> Floats:
        sorted_weights = weights[:, order]
        above = np.add.reduceat(sorted_weights * positive, starts, axis=1)
        below = np.add.reduceat(sorted_weights * ~positive, starts, axis=1)
        beaten = np.cumsum(below, axis=1) - below / 2
        pairs = above.sum(axis=1) * below.sum(axis=1)
        with np.errstate(invalid="ignore"):
            return np.asarray((above * beaten).sum(axis=1) / np.where(pairs > 0, pairs, np.nan))

    return area


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
