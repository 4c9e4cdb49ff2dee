"""After how many items two evaluations were decided: looking after every one, and rightly so."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tuneval.errors import UsageError
from tuneval.evaluation.account import clusters_of
from tuneval.evaluation.compare import SEED, counted_pairs, paired_items
from tuneval.evaluation.comparison import Evaluation
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
    UsageError for a metric that is no mean of grades within bounds.
    """
    return follow_items(*paired_items(a, b), metric, margin_points=margin_points, seed=seed)


def follow_items(
    a: Sequence[Item],
    b: Sequence[Item],
    metric: str,
    *,
    margin_points: float | None = None,
    seed: int = SEED,
) -> SequentialComparison:
    """The same for paired items, such as those that are answered so far."""
    measure = load_metric(metric)
    least, most = measure.about.range
    if not isinstance(measure, PerItem) or math.isinf(most - least):
        raise UsageError(
            f"{metric} cannot be followed item by item: that takes a mean of grades in a range.",
            mend="choose one such as exact_match or rouge-l",
        )
    first, second = counted_pairs(measure, a, b)
    if not first:
        raise UsageError(f"No item has a value of {metric} on both sides.")
    changes = measure.values(second) - measure.values(first)
    order = np.random.default_rng(seed).permutation(len(first))
    groups = clusters_of(first)
    unit = measure.about.unit
    margin = margin_points
    if margin is not None and unit == "share":
        margin = margin / 100
    return sequential_comparison(
        changes[order],
        bound=most - least,
        clusters=None if groups is None else [groups[place] for place in order],
        margin=margin,
        unit=unit,
    )
