"""Evaluations of a task with subjects, made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from tuneval.evaluation.asking.draw import Drawn
from tuneval.evaluation.asking.overall import overall
from tuneval.evaluation.asking.task_record import TaskRecord
from tuneval.evaluation.comparing.comparison import Evaluation
from tuneval.evaluation.question import Question
from tuneval.evaluation.task import Questions

RECORD = TaskRecord(
    kind="quiz", title="quiz", protocol="quiz/plain", options={}, main="exact_match",
    questions_hash="q", prompt_hash="p", tokenizer_hash=None, precision="float32",
    shots_dropped=0, strata="subject", sizes={}, taken={}, perturbations=(), invariance=None,
    overall=(), by_stratum={},
)  # fmt: skip


@pytest.fixture
def of_subjects(make_evaluation):
    """An evaluation of `right` by subject, as the task writes it: a macro average, or of a part.

    `sizes` are those of the task's subjects where only the given questions were drawn.
    """

    def make(
        name: str,
        right: Mapping[str, Sequence[bool]],
        *,
        macro: bool = True,
        sizes: Mapping[str, int] | None = None,
        groups: Sequence[str] | None = None,
        metrics: Sequence[str] = ("exact_match",),
    ) -> Evaluation:
        subjects = [subject for subject, found in right.items() for _ in found]
        answers = ["right" if each else "wrong" for found in right.values() for each in found]
        made = make_evaluation(name, answers, groups=groups, metrics=metrics)
        items = [
            replace(item, tags={"subject": subject})
            for item, subject in zip(made.items, subjects, strict=True)
        ]
        taken = {subject: len(found) for subject, found in right.items()}
        questions = tuple(
            Question(id=str(n), source="", way="generate", prompt="", tags={"subject": subject})
            for subject, size in (sizes or taken).items()
            for n in range(size)
        )
        asked = Questions(
            questions=questions, protocol="quiz", metrics=(), average="subject" if macro else None
        )
        drawn = Drawn(
            questions=tuple(
                question
                for subject, n in taken.items()
                for question in [q for q in questions if q.tags["subject"] == subject][:n]
            ),
            tag="subject",
            sizes=sizes or taken,
            taken=taken,
        )
        figures = [figure for metric in metrics for figure in overall(items, metric, asked, drawn)]
        record = replace(RECORD, sizes=drawn.sizes, taken=taken, overall=tuple(figures))
        return Evaluation(replace(made.result, task=record), items)

    return make
