"""Answered items made by hand, and a metric over them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from tuneval.evaluation.account import account_for
from tuneval.evaluation.grade import grade
from tuneval.evaluation.items import Chosen, Item
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.result import MetricResult

_numbers = itertools.count()


def answer(
    predict: str | None = None,
    label: str | None = None,
    *,
    group: str | None = None,
    chosen: Chosen | None = None,
    extracted: Mapping[str, str | None] | None = None,
    skipped: Mapping[str, str] | None = None,
    **fields: Any,
) -> Item:
    """An item; what is not named goes to its `fields`."""
    return Item(
        id=f"{next(_numbers):016x}",
        source="held.jsonl:1",
        group=group,
        tags={},
        prompt="question",
        label=label,
        predict=predict,
        chosen=chosen,
        extracted=extracted or {},
        skipped=skipped or {},
        fields=fields,
    )


def answers(said: Sequence[str | None], true: Sequence[str]) -> list[Item]:
    """One item for each pair of answer and reference."""
    return [answer(predict, label) for predict, label in zip(said, true, strict=True)]


def result(metric: str, items: Sequence[Item]) -> MetricResult:
    """The metric over the items, graded first as an evaluation does."""
    return account_for(grade(items, [metric]), metric, seed=17)


def value(metric: str, items: Sequence[Item]) -> float:
    """Its figure."""
    estimate = result(metric, items).estimate
    assert estimate is not None
    return estimate.value


def difference(metric: str, a: Sequence[Item], b: Sequence[Item]) -> Any:
    """The paired comparison of two systems' items, None where there is none."""
    return load_metric(metric).compare(a, b, clusters=None, seed=17)
