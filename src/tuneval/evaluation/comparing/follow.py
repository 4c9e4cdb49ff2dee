"""After how many items two evaluations were decided: looking after every one, and rightly so."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tuneval.errors import UsageError
from tuneval.evaluation.account import clusters_of
from tuneval.evaluation.comparing.compare import SEED, counted_pairs, paired_items
from tuneval.evaluation.comparing.comparison import Evaluation
from tuneval.evaluation.items import Item
from tuneval.evaluation.kinds.per_item import PerItem
from tuneval.evaluation.metrics import load_metric
from tuneval.statistics.sequential import SequentialComparison, sequential_comparison


def follow(
    a: Evaluation,
    b: Evaluation,
    metric: str,
    *,
    margin_points: float | None = None,
    seed: int = SEED,
) -> SequentialComparison:
    """b less a, item by item in an order drawn by `seed`, and when that was decided.

    With a margin, "alike" is a decision too: the difference is within so many points. Raises
    UsageError for a metric that is no mean of grades within bounds, and where no item has one.
    """
    first, second = paired_items(a, b)
    order = np.random.default_rng(seed).permutation(len(first))
    found = follow_items(
        [first[place] for place in order],
        [second[place] for place in order],
        metric,
        margin_points=margin_points,
    )
    if found is None:
        raise UsageError(f"No item has a value of {metric} on both sides.")
    return found


def can_follow(metric: str) -> bool:
    """Whether a metric is a mean of grades within bounds."""
    measure = load_metric(metric)
    least, most = measure.about.range
    return isinstance(measure, PerItem) and math.isfinite(most - least)


def follow_items(
    a: Sequence[Item],
    b: Sequence[Item],
    metric: str,
    *,
    margin_points: float | None = None,
) -> SequentialComparison | None:
    """The same for paired items in the order in which they were asked, which chance must decide.

    None as long as no item counts on both sides.
    """
    measure = load_metric(metric)
    if not isinstance(measure, PerItem) or not can_follow(metric):
        raise UsageError(
            f"{metric} cannot be followed item by item: that takes a mean of grades in a range.",
            mend="choose one such as exact_match or rouge-l",
        )
    first, second = counted_pairs(measure, a, b)
    if not first:
        return None
    unit, margin = measure.about.unit, margin_points
    if margin is not None and unit == "share":
        margin = margin / 100
    return sequential_comparison(
        measure.values(second) - measure.values(first),
        bound=measure.about.range[1] - measure.about.range[0],
        clusters=clusters_of(first),
        margin=margin,
        unit=unit,
    )
