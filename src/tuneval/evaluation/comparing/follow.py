"""After how many items two evaluations were decided: looking after every one, and rightly so."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tuneval.errors import UsageError
from tuneval.evaluation.account import clusters_of
from tuneval.evaluation.comparing.averaging import Averaging, averaging_of
from tuneval.evaluation.comparing.compare import SEED, counted_pairs, paired_items
from tuneval.evaluation.comparing.comparison import Evaluation
from tuneval.evaluation.items import Item
from tuneval.evaluation.kinds.per_item import PerItem
from tuneval.evaluation.metrics import load_metric
from tuneval.statistics.sequential import SequentialComparison, sequential_comparison


@dataclass(frozen=True, slots=True)
class Weighed:
    """What must be known of all items before the first is looked at.

    `weights` by the item's id, in the figure that is followed; `largest`: of the heaviest group.
    """

    weights: Mapping[str, float]
    largest: float

    @classmethod
    def of(cls, items: Sequence[Item], averaging: Averaging | None) -> Weighed:
        """Of all items that may come; alike without an averaging."""
        found = [1.0] * len(items) if averaging is None else averaging.item_weights(items)
        weights = {item.id: float(each) for item, each in zip(items, found, strict=True)}
        of_groups: dict[object, float] = {}
        for item in items:
            key = ("alone", item.id) if item.group is None else item.group
            of_groups[key] = of_groups.get(key, 0.0) + weights[item.id]
        return cls(weights, max(of_groups.values(), default=1.0))


def follow(
    a: Evaluation,
    b: Evaluation,
    metric: str,
    *,
    margin_points: float | None = None,
    seed: int = SEED,
) -> SequentialComparison:
    """b less a, item by item in an order drawn by `seed`, and when that was decided.

    Averaged as the task does it. With a margin, "alike" is a decision too: the difference is
    within so many points. Raises UsageError for a metric that is no mean of grades within bounds,
    and where no item has one.
    """
    first, second = paired_items(a, b)
    order = np.random.default_rng(seed).permutation(len(first))
    first, second = ([items[place] for place in order] for items in (first, second))
    counted, _ = counted_pairs(_followed(metric), first, second)
    if not counted:
        raise UsageError(f"No item has a value of {metric} on both sides.")
    averaging, _ = averaging_of(_followed(metric), (a, b), counted)
    weighed = Weighed.of(counted, averaging)
    return follow_items(first, second, metric, weighed, margin_points=margin_points)


def can_follow(metric: str) -> bool:
    """Whether a metric is a mean of grades within bounds."""
    measure = load_metric(metric)
    least, most = measure.about.range
    return isinstance(measure, PerItem) and math.isfinite(most - least)


def follow_items(
    a: Sequence[Item],
    b: Sequence[Item],
    metric: str,
    weighed: Weighed,
    *,
    margin_points: float | None = None,
) -> SequentialComparison:
    """The same for paired items in the order in which they were asked, which chance must decide.

    One at least must count on both sides.
    """
    measure = _followed(metric)
    first, second = counted_pairs(measure, a, b)
    unit, margin = measure.about.unit, margin_points
    if margin is not None and unit == "share":
        margin = margin / 100
    return sequential_comparison(
        measure.values(second) - measure.values(first),
        bound=measure.about.range[1] - measure.about.range[0],
        clusters=clusters_of(first),
        weights=[weighed.weights[item.id] for item in first],
        largest=weighed.largest,
        margin=margin,
        unit=unit,
    )


def _followed(metric: str) -> PerItem:
    measure = load_metric(metric)
    if not isinstance(measure, PerItem) or not can_follow(metric):
        raise UsageError(
            f"{metric} cannot be followed item by item: that takes a mean of grades in a range.",
            mend="choose one such as exact_match or rouge-l",
        )
    return measure
