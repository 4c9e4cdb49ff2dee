"""A model's answers to questions, kept as they come; later turns are asked with earlier answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuneval.evaluation.answering.kept import Kept
from tuneval.evaluation.answering.respondent import Ready, Respondent
from tuneval.evaluation.asking.turns import NOT_REACHED, go_on
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.question import Question
from tuneval.runs.events import Report


@dataclass
class Answers:
    """What is answered in the file at `path`, and why what is not cannot be; by question id.

    `asked` are the questions as they were asked, those of later rounds with what was said before.
    """

    path: Path
    respondent: Respondent
    stage: str
    report: Report
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    asked: dict[str, Question] = field(default_factory=dict)
    seconds: float = 0.0

    def obtain(self, questions: Sequence[Question], ready: Ready) -> None:
        """The answers to a round that was made ready; those on the disk are not asked for again."""
        kept = Kept(self.path, wanted=ready.asked.keys())
        self.respondent.answer(ready, kept=kept, stage=f"{self.stage}: answers", report=self.report)
        refused = {name: row["refused"] for name, row in kept.rows.items() if "refused" in row}
        self.rows |= {name: row for name, row in kept.rows.items() if name not in refused}
        self.skipped |= {**ready.skipped, **refused}
        self.asked |= {question.id: question for question in questions}
        self.seconds += kept.seconds

    def go_on(self, questions: Sequence[Question], config: EvaluateConfig) -> None:
        """The next round, each question after its conversation so far."""
        said = {name: row["predict"] for name, row in self.rows.items() if "predict" in row}
        unreached = [question for question in questions if question.after not in said]
        self.skipped |= {question.id: NOT_REACHED for question in unreached}
        reached = [go_on(q, self.asked, said) for q in questions if q.after in said]
        if reached:
            self.obtain(reached, self.respondent.prepare(reached, config))
