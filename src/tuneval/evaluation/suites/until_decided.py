"""A model that is asked only until its comparison with an earlier evaluation is decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from tuneval.evaluation.answering.kept import Kept
from tuneval.evaluation.answering.respondent import Invariance, Ready, Respondent, RespondentFacts
from tuneval.evaluation.asking.answered import items_from
from tuneval.evaluation.asking.turns import FIRST_STAGE
from tuneval.evaluation.comparing.averaging import averaging_of
from tuneval.evaluation.comparing.compare import SEED, counted_in_all, counted_pairs
from tuneval.evaluation.comparing.comparison import UNTIL_DECIDED, Evaluation
from tuneval.evaluation.comparing.follow import Weighed, follow_items
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.grade import grade
from tuneval.evaluation.items import Item
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.question import Question
from tuneval.runs.events import Report, Warned
from tuneval.statistics.sequential import SequentialComparison

AT_ONCE = 32
"""Questions between two looks: enough to fill batches. Looking often costs nothing."""


def note(metric: str, against: str) -> str:
    """What a reader of the result must know."""
    return (
        f"{UNTIL_DECIDED}: by the test that may be looked at after every item, of {metric} beside "
        f"{against}; questions after that were not asked"
    )


@dataclass
class UntilDecided:
    """Asks `inner` in an order drawn by `seed`, until `metric` beside that of `against` is decided.

    Questions that `against` does not have are not asked. What was decided is in `found`. All that
    the test must know beforehand, what each question weighs and the heaviest group, is taken from
    `against`.
    """

    inner: Respondent
    against: Evaluation
    metric: str
    margin_points: float | None = None
    seed: int = SEED
    found: SequentialComparison | None = None
    _questions: dict[str, Question] = field(default_factory=dict)

    @property
    def facts(self) -> RespondentFacts:
        """Who answers."""
        return self.inner.facts

    def prepare(self, questions: Sequence[Question], config: EvaluateConfig) -> Ready:
        """As in `Respondent`."""
        self._questions |= {question.id: question for question in questions}
        return self.inner.prepare(questions, config)

    def answer(self, ready: Ready, *, kept: Kept, stage: str, report: Report) -> None:
        """As in `Respondent`, but not of all: what is left has no answer."""
        earlier = {item.id: item for item in self.against.items}
        first_stage = {
            name: one
            for name, one in ready.asked.items()
            if name.endswith(FIRST_STAGE) and name.removesuffix(FIRST_STAGE) in earlier
        }
        if first_stage:  # Nothing is graded yet, so that nothing can be decided.
            part = replace(ready, asked=first_stage)
            self.inner.answer(part, kept=kept, stage=stage, report=report)
            return
        weighed = self._weighed(ready)
        asked: list[str] = []
        for ids in self._in_turn([name for name in ready.asked if name in earlier]):
            part = replace(ready, asked={name: ready.asked[name] for name in ids})
            self.inner.answer(part, kept=kept, stage=stage, report=report)
            asked += [name for name in ids if "refused" not in kept.rows[name]]
            items = self._graded(asked, kept.rows)
            pair = [earlier[item.id] for item in items], items
            if not counted_pairs(load_metric(self.metric), *pair)[0]:
                continue
            self.found = follow_items(*pair, self.metric, weighed, margin_points=self.margin_points)
            if self.found.verdict != "undecided":
                said = f"decided ({self.found.verdict}) after {len(asked)} of {len(ready.asked)}"
                report(Warned(stage, f"{self.metric} is {said} questions: no more are asked"))
                return

    def check_invariance(
        self, ready: Ready, rows: Mapping[str, Mapping[str, Any]], *, n_items: int = 16
    ) -> Invariance | None:
        """As in `Respondent`."""
        return self.inner.check_invariance(ready, rows, n_items=n_items)

    def close(self) -> None:
        """As in `Respondent`."""
        self.inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _in_turn(self, ids: Sequence[str]) -> Iterator[list[str]]:
        """The questions in an order drawn by the seed, those of a group together."""
        groups: dict[object, list[str]] = {}
        for name in ids:
            group = self._questions[name].group
            groups.setdefault(("alone", name) if group is None else group, []).append(name)
        members = list(groups.values())
        part: list[str] = []
        for place in np.random.default_rng(self.seed).permutation(len(members)):
            part += members[place]
            if len(part) >= AT_ONCE:
                yield part
                part = []
        if part:
            yield part

    def _weighed(self, ready: Ready) -> Weighed:
        """Of the questions that may be asked: those that count for the earlier model."""
        measure = load_metric(self.metric)
        (items,) = counted_in_all(
            measure, [[item for item in self.against.items if item.id in ready.asked]]
        )
        averaging, _ = averaging_of(measure, [self.against], items) if items else (None, None)
        return Weighed.of(items, averaging)

    def _graded(self, ids: Sequence[str], rows: Mapping[str, Mapping[str, object]]) -> list[Item]:
        questions = [self._questions[name] for name in ids]
        return grade(items_from(questions, rows, {}), [self.metric])
