"""What a metric is: a named way to grade answers against their references."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Scale = Literal["binary", "continuous"]
Unit = Literal["share", "points", ""]


@dataclass(frozen=True, slots=True)
class Unscored:
    """In place of a value: this item cannot be graded, and why. Never counted as zero."""

    reason: str


class LabelPair(NamedTuple):
    """The labels that one answer gives, and those that its reference has."""

    predicted: frozenset[str]
    expected: frozenset[str]


@dataclass(frozen=True, slots=True)
class Metric:
    """`score(prediction, reference)` grades one item; the figure is the mean over items.

    `scale` decides the statistics: "binary" grades are 0.0 or 1.0. `unit` is that of `Estimate`.
    """

    name: str
    unit: Unit
    higher_is_better: bool
    scale: Scale
    score: Callable[[str, str], float | Unscored]


@dataclass(frozen=True, slots=True)
class LabelMetric:
    """`labels(prediction, reference)` reads the labels of one item; the figure is macro-F1.

    It belongs to the whole set: `statistics.classes` makes the figure, interval and comparison.
    """

    name: str
    labels: Callable[[str, str], LabelPair | Unscored]
    unit: Unit = "share"
    higher_is_better: bool = True


AnyMetric = Metric | LabelMetric
