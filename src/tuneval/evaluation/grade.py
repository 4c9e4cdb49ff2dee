"""Grades of answers: every chosen metric that grades items, on every item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tuneval.evaluation.items import Item
from tuneval.evaluation.kinds.drop import Drop
from tuneval.evaluation.kinds.of_metrics import OfMetrics
from tuneval.evaluation.kinds.per_item import Batch, PerItem
from tuneval.evaluation.kinds.worst import Worst
from tuneval.evaluation.metric import Unscored
from tuneval.evaluation.metrics import load_metric

Scores = Mapping[str, float | Unscored]


def grade(items: Sequence[Item], metrics: Sequence[str]) -> list[Item]:
    """The items with their grades; what cannot be graded is unscored, with the reason.

    What a metric is made of is graded too, and before it: the parts of a combined one, the inner
    one of a robustness figure. Metrics that grade in batches do so once for all items.
    """
    names = dict.fromkeys(each for name in metrics for each in _with_parts(name))
    rows = [row for name in names if isinstance(row := load_metric(name), PerItem)]
    batches = dict.fromkeys(row.batch for row in rows if row.batch is not None)
    found = {batch: _in_a_batch(batch, items) for batch in batches}
    return [_graded(item, rows, {b: found[b][i] for b in batches}) for i, item in enumerate(items)]


def _with_parts(name: str) -> list[str]:
    match load_metric(name):
        case OfMetrics(parts=parts) | PerItem(parts=parts):
            inner = tuple(parts)
        case Drop(inner=metric) | Worst(inner=metric):
            inner = (metric.about.name,)
        case _:
            inner = ()
    return [*(each for part in inner for each in _with_parts(part)), name]


def _in_a_batch(batch: Batch, items: Sequence[Item]) -> Sequence[Scores]:
    return batch(items) if items else []


def _graded(item: Item, rows: Sequence[PerItem], found: Mapping[Batch, Scores]) -> Item:
    grades: dict[str, float] = {}
    unscored: dict[str, str] = {}
    for row in rows:
        name = row.about.name
        in_batch = {} if row.batch is None else found[row.batch]
        if row.parts:
            item = replace(item, grades=grades, unscored=unscored)
        value = in_batch[name] if name in in_batch else row.score(item)
        if isinstance(value, Unscored):
            unscored[name] = value.reason
        else:
            grades[name] = value
    return replace(item, grades=grades, unscored=unscored)
