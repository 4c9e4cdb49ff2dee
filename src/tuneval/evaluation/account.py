"""Items in, one MetricResult per metric out, with an account of the items that do not count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tuneval.evaluation.items import Item
from tuneval.evaluation.metric import OfNamedClass
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.result import MetricResult
from tuneval.evaluation.robustness.families import items_for
from tuneval.statistics.sample import Clusters, is_clustered


def account_for(items: Sequence[Item], metric: str, *, seed: int) -> MetricResult:
    """One metric over the items; those that cannot count are counted with their reason."""
    measure = load_metric(metric)
    items = items_for(measure, items)
    reasons = [measure.missing(item) for item in items]
    if isinstance(measure, OfNamedClass) and (unknown := measure.unknown_class(items)) is not None:
        reasons = [reason or unknown for reason in reasons]
    counted = [item for item, reason in zip(items, reasons, strict=True) if reason is None]
    return MetricResult(
        metric=metric,
        unit=measure.about.unit,
        higher_is_better=measure.about.higher_is_better,
        estimate=measure.estimate(counted, clusters=clusters_of(counted), seed=seed)
        if counted
        else None,
        unscored=dict(Counter(reason for reason in reasons if reason is not None)),
        detail=measure.detail(counted) if counted else None,
    )


def clusters_of(items: Sequence[Item]) -> Clusters | None:
    """The groups of the items where any two share one, else None: items are then independent."""
    groups = [item.group for item in items]
    return groups if is_clustered(groups) else None
