"""Small evaluations made by hand: what a model said to each of a few questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tuneval.evaluation.account import account_for
from tuneval.evaluation.comparing.compare import Evaluation
from tuneval.evaluation.grade import grade
from tuneval.evaluation.items import Item, TeacherForced
from tuneval.evaluation.metrics.likelihood import TEACHER_FORCED
from tuneval.evaluation.record import EvaluationResult

MakeItem = Callable[..., Item]
MakeEvaluation = Callable[..., Evaluation]


def item(number: int, *, label: str, predict: str, group: str | None = None, nll: float = 4.0):
    """Item `number` with four response tokens after six of prompt."""
    return Item(
        id=f"{number:016x}",
        source=f"held.jsonl:{number + 1}",
        group=group,
        tags={"language": "en"},
        prompt=f"question {number}",
        label=label,
        predict=predict,
        finish_reason="stop",
        n_tokens=4,
        teacher_forced=TeacherForced(nll, 4, 2, 2, 7, 9),
    )


def evaluation(
    name: str,
    answers: Sequence[str],
    *,
    labels: Sequence[str] | None = None,
    groups: Sequence[str | None] | None = None,
    metrics: Sequence[str] = ("exact_match", "bleu-4"),
    nll: float = 4.0,
    template_hash: str = "t" * 16,
) -> Evaluation:
    """An evaluation of `answers`; the labels are "right" unless given."""
    items = [
        item(
            n,
            label=labels[n] if labels else "right",
            predict=answer,
            group=groups[n] if groups else None,
            nll=nll,
        )
        for n, answer in enumerate(answers)
    ]
    items = grade(items, [*TEACHER_FORCED, *metrics])
    result = EvaluationResult(
        name=name,
        model=f"folder/{name}",
        model_hash=name,
        adapter=None,
        template="chatml",
        template_hash=template_hash,
        data_hash="d" * 16,
        n_items=len(items),
        metrics={m: account_for(items, m, seed=17) for m in (*TEACHER_FORCED, *metrics)},
        counts={"teacher_forced": len(items), "alignment_agrees": len(items), "generated": 3},
        skipped={"teacher_forced": {}, "generated": {}},
        seconds={"likelihood": 1.0, "answers": 2.0},
        config={"max_new_tokens": 8},
        key="k",
        created="2026-01-02T03:04:05+00:00",
        version="0",
    )
    return Evaluation(result, items)


@pytest.fixture(name="make_item")
def _make_item() -> MakeItem:
    return item


@pytest.fixture(name="make_evaluation")
def _make_evaluation() -> MakeEvaluation:
    return evaluation


@pytest.fixture
def batch_sizes(monkeypatch) -> tuple[list[int], list[int]]:
    """How many inputs each pass reads, and how many answers each pass goes on with."""
    from tuneval.models import continuous
    from tuneval.models.forward import Forward

    read: list[int] = []
    written: list[int] = []
    batch, next_tokens = Forward.batch, continuous.next_tokens

    def reading(self, row):
        read.append(len(row.inputs))
        return batch(self, row)

    def writing(logits, rows):
        written.append(len(rows))
        return next_tokens(logits, rows)

    monkeypatch.setattr(Forward, "batch", reading)
    monkeypatch.setattr(continuous, "next_tokens", writing)
    return read, written
