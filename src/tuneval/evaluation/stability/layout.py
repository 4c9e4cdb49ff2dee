"""Items × runs of a metric: what the parts of the variance of repeated runs are computed of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuneval.errors import DataError
from tuneval.evaluation.account import clusters_of
from tuneval.evaluation.comparing.averaging import averaging_of
from tuneval.evaluation.comparing.comparison import Evaluation
from tuneval.evaluation.items import Item
from tuneval.evaluation.kinds.of_sums import OfSums
from tuneval.evaluation.kinds.per_item import PerItem
from tuneval.evaluation.metric import Metric
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.robustness.families import items_for
from tuneval.statistics.sample import Clusters, Floats


@dataclass(frozen=True, slots=True)
class Layout:
    """A metric over the items that count in every run.

    `scores` has its figure in each run, averaged as the task does it. `values` (items, runs) are
    what the figure is the mean of, None where it is no such thing: then the runs' spread cannot be
    split. `answers` are the same of each item by itself, unweighed. `n_left_out` counts
    items that some run lacks or could not score, `n_changed` those that are not alike in all runs.
    """

    metric: str
    unit: str
    ids: tuple[str, ...]
    scores: tuple[float, ...]
    values: Floats | None
    answers: Floats | None
    clusters: Clusters | None
    n_left_out: int
    n_changed: int | None


def layout_of(metric: str, runs: Sequence[Evaluation], *, seed: int) -> Layout | None:
    """The layout of a metric; None for a table, and where no item counts in every run.

    Figures of sums, such as an F1, are laid out by their jackknife pseudo-values (Tukey 1958), a
    weighted mean by values that have its mean and its error.
    Raises DataError where the runs have no item in common.
    """
    measure = load_metric(metric)
    by_run = [{item.id: item for item in run.items} for run in runs]
    everywhere = [name for name in by_run[0] if all(name in items for items in by_run)]
    if not everywhere:
        raise DataError(
            "These runs have no item in common.",
            where=", ".join(run.result.name for run in runs),
            mend="give runs of one evaluation: the same file or task",
        )
    rows = [items_for(measure, [items[name] for name in everywhere]) for items in by_run]
    asked = [items_for(measure, list(items.values())) for items in by_run]
    counted = [
        row for row in zip(*rows, strict=True) if all(measure.missing(item) is None for item in row)
    ]
    if not counted:
        return None
    columns = [list(column) for column in zip(*counted, strict=True)]
    clusters = clusters_of(columns[0])
    own = _own(measure, columns)
    answers = _values(measure, own)
    values = answers
    averaging, _ = averaging_of(measure, runs, columns[0])
    if averaging is not None and answers is not None:
        values = np.array([averaging.as_plain_mean(run, columns[0]) for run in answers.T]).T
    scores = (
        _figures(measure, columns, clusters, seed)
        if values is None
        else tuple(float(mean) for mean in values.mean(axis=0))
    )
    if scores is None:
        return None
    return Layout(
        metric=metric,
        unit=measure.about.unit,
        ids=tuple(row[0].id for row in counted),
        scores=scores,
        values=values,
        answers=answers,
        clusters=clusters,
        n_left_out=max(map(len, asked)) - len(counted),
        n_changed=None if own is None else int(np.any(own != own[:1], axis=(0, 2)).sum()),
    )


def _own(measure: Metric, columns: Sequence[Sequence[Item]]) -> Floats | None:
    """What each item has by itself in each run, (runs, items, k): its grade, or what it adds."""
    if isinstance(measure, PerItem):
        return np.array([measure.values(column) for column in columns])[..., None]
    if isinstance(measure, OfSums):
        added = measure.columns([item for column in columns for item in column])
        return added.reshape(len(columns), len(columns[0]), -1) if added.size else None
    return None


def _values(measure: Metric, own: Floats | None) -> Floats | None:
    """What the figure of a run is the mean of, (items, runs)."""
    if own is None or isinstance(measure, PerItem):
        return None if own is None else own[..., 0].T
    if not isinstance(measure, OfSums) or own.shape[1] < 2:
        return None
    n, found = own.shape[1], []
    with np.errstate(divide="ignore", invalid="ignore"):
        for of_run in own:
            total = of_run.sum(axis=0)
            without = measure.statistic(total - of_run)
            found.append(measure.statistic(total) - (n - 1) * (without - without.mean()))
    values = np.array(found).T
    return values if np.isfinite(values).all() else None


def _figures(
    measure: Metric, columns: Sequence[Sequence[Item]], clusters: Clusters | None, seed: int
) -> tuple[float, ...] | None:
    """The figure of each run as a whole; None for a table."""
    found = [measure.estimate(column, clusters=clusters, seed=seed) for column in columns]
    scores = [estimate.value for estimate in found if estimate is not None]
    return tuple(scores) if len(scores) == len(columns) else None
