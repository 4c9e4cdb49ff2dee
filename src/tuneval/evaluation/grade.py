"""Grades of answers: every chosen metric on every item that has an answer and a reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tuneval.evaluation.items import Item
from tuneval.evaluation.metric import Metric, Unscored
from tuneval.evaluation.metrics import load_metric

TEXT_METRICS = ("rouge-1", "rouge-2", "rouge-l", "bleu-4")
"""Graded together, in several processes when that pays."""


def grade(items: Sequence[Item], metrics: Sequence[str]) -> list[Item]:
    """The items with their grades. An item without an answer is unscored, with the reason."""
    answered = [i for i, item in enumerate(items) if _is_answered(item)]
    texts = _text_scores([items[i] for i in answered], metrics)
    at = dict(zip(answered, texts, strict=True))
    return [
        _graded(item, metrics, at[i]) if i in at else _left_out(item, metrics)
        for i, item in enumerate(items)
    ]


def _is_answered(item: Item) -> bool:
    return item.predict is not None and item.label is not None


def _text_scores(items: Sequence[Item], metrics: Sequence[str]) -> list[dict[str, float]]:
    if not set(metrics) & set(TEXT_METRICS):
        return [{} for _ in items]
    from tuneval.evaluation.metrics.texts import score_texts

    return score_texts([(item.predict or "", item.label or "") for item in items])


def _graded(item: Item, metrics: Sequence[str], texts: dict[str, float]) -> Item:
    grades: dict[str, float] = {}
    unscored: dict[str, str] = {}
    for name in metrics:
        if name in texts:
            grades[name] = texts[name]
            continue
        metric = load_metric(name)
        if isinstance(metric, Metric):
            score = metric.score(item.predict or "", item.label or "")
        else:
            labels = metric.labels(item.predict or "", item.label or "")
            if not isinstance(labels, Unscored):
                continue  # an F1 belongs to the whole set; the item has no value of its own
            score = labels
        if isinstance(score, Unscored):
            unscored[name] = score.reason
        else:
            grades[name] = float(score)
    return replace(item, grades=grades, unscored=unscored)


def _left_out(item: Item, metrics: Sequence[str]) -> Item:
    reason = item.skipped.get("generated", "not answered")
    return replace(item, grades={}, unscored=dict.fromkeys(metrics, reason))
