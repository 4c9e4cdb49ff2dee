"""Items from a task's questions and what a model answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tuneval.evaluation.extraction import extract
from tuneval.evaluation.items import Chosen, Item, Read
from tuneval.evaluation.question import Question, Way

MEASURED = ("seconds", "seconds_to_first", "energy_joules", "peak_memory_bytes")
"""What the clock and the drivers say of an answer: two runs of one evaluation differ in it."""
SKIPPED: Mapping[Way, str] = {"choose": "chosen", "generate": "generated", "read": "read"}
"""What each way of answering is called in `Item.skipped`."""


def items_from(
    questions: Iterable[Question],
    rows: Mapping[str, Mapping[str, Any]],
    skipped: Mapping[str, str],
    *,
    of_model: Mapping[str, Any] | None = None,
) -> list[Item]:
    """One item for each question, in their order; `rows` and `skipped` are by question id.

    `of_model` are fields that all items share.
    """
    shared = of_model or {}
    return [_item(q, rows.get(q.id), skipped, shared) for q in questions]


def taken_by(row: Mapping[str, Any]) -> dict[str, float]:
    """What the answer in a row took, as far as it was measured."""
    return {name: row[name] for name in MEASURED if row.get(name) is not None}


def _item(
    question: Question,
    row: Mapping[str, Any] | None,
    skipped: Mapping[str, str],
    shared: Mapping[str, Any],
) -> Item:
    fields, known = {**question.fields, **shared}, {}
    if row is not None:
        fields |= taken_by(row)
        known = _ANSWERS[question.way](question, row)
    elif question.id in skipped:
        known = {"skipped": {SKIPPED[question.way]: skipped[question.id]}}
    return Item(
        id=question.id,
        source=question.source,
        group=question.group,
        tags=dict(question.tags),
        prompt=question.asked,
        label=_label(question),
        fields=fields,
        **known,
    )


def _label(question: Question) -> str | None:
    """The true answer as text: the reference, or the right choices."""
    if question.reference is not None or not question.gold:
        return question.reference
    return " ".join(question.choices[place].strip() for place in question.gold)


def _chosen(question: Question, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "chosen": Chosen(
            choices=question.choices,
            logprobs=tuple(row["logprobs"]),
            n_tokens=tuple(row["choice_tokens"]),
            gold=question.gold,
        )
    }


def _generated(question: Question, row: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: row[name] for name in ("predict", "finish_reason", "n_tokens")}
    if question.extractor is not None:
        found = extract(question.extractor, said["predict"], item_id=question.id)
        said["extracted"] = dict(found)
    return said


def _read(question: Question, row: Mapping[str, Any]) -> dict[str, Any]:
    text = question.asked
    return {
        "read": Read(
            nll=row["nll"],
            n_tokens=row["n_tokens"],
            n_characters=len(text),
            n_bytes=len(text.encode()),
        )
    }


_ANSWERS: Mapping[Way, Callable[[Question, Mapping[str, Any]], dict[str, Any]]] = {
    "choose": _chosen,
    "generate": _generated,
    "read": _read,
}
