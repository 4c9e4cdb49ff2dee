"""From the grades of items to the figure of a metric, with its interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from tuneval.evaluation.metric import LabelMetric, LabelPair, Metric, Unscored
from tuneval.evaluation.result import Grade, MetricResult
from tuneval.statistics.classes import macro_f1_estimate
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.mean import bootstrap_mean, t_mean
from tuneval.statistics.proportion import clustered_wilson, wilson
from tuneval.statistics.sample import is_clustered

BOOTSTRAP_UP_TO = 2_000
"""Items above which Student's interval of a mean is as good as a bootstrap, and instant."""

Clusters = Sequence[Hashable | None]


def grade(metric: Metric, item_id: str, prediction: str, reference: str) -> Grade:
    """One item's grade."""
    value = metric.score(prediction, reference)
    if isinstance(value, Unscored):
        return Grade(item_id, None, value.reason)
    return Grade(item_id, value)


def summarise(
    metric: Metric,
    grades: Sequence[Grade],
    *,
    seed: int,
    clusters: Clusters | None = None,
    level: float = 0.95,
) -> MetricResult:
    """The mean of the grades: Wilson for right or wrong, bootstrap or Student's t for others.

    `clusters` has one key per grade. What is unscored is counted by reason; when nothing is
    scored the estimate is None.
    """
    scored = [position for position, given in enumerate(grades) if given.value is not None]
    values = [value for given in grades if (value := given.value) is not None]
    keys = None if clusters is None else [clusters[position] for position in scored]
    return MetricResult(
        metric=metric.name,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        estimate=_mean(metric, values, keys, seed, level) if values else None,
        unscored=dict(Counter(str(given.unscored) for given in grades if given.value is None)),
    )


def summarise_labels(
    metric: LabelMetric,
    pairs: Sequence[LabelPair | Unscored],
    *,
    seed: int,
    clusters: Clusters | None = None,
    level: float = 0.95,
) -> MetricResult:
    """Macro-F1 of the labels of all items, `metric.labels(...)` of each, with its interval."""
    scored = [(at, pair) for at, pair in enumerate(pairs) if isinstance(pair, LabelPair)]
    estimate = None
    if any(pair.expected for _, pair in scored):
        estimate = macro_f1_estimate(
            [pair.predicted for _, pair in scored],
            [pair.expected for _, pair in scored],
            seed=seed,
            clusters=None if clusters is None else [clusters[at] for at, _ in scored],
            level=level,
        )
    return MetricResult(
        metric=metric.name,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        estimate=estimate,
        unscored=dict(Counter(pair.reason for pair in pairs if isinstance(pair, Unscored))),
    )


def _mean(
    metric: Metric, values: list[float], clusters: Clusters | None, seed: int, level: float
) -> Estimate:
    clusters = clusters if is_clustered(clusters) else None
    if metric.scale == "binary":
        if clusters is None:
            return wilson(round(sum(values)), len(values), level=level)
        return clustered_wilson(values, clusters=clusters, level=level)
    if len(values) > BOOTSTRAP_UP_TO:
        return t_mean(values, clusters=clusters, level=level, unit=metric.unit)
    return bootstrap_mean(values, seed=seed, clusters=clusters, level=level, unit=metric.unit)
