"""Questions answered by likelihood: each kept as soon as all of its requests are measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.answering.asked import Choosing, Reading
from tuneval.evaluation.answering.kept import Kept, warnings_only
from tuneval.runs.events import ItemDone, Report

if TYPE_CHECKING:
    from tuneval.models.engines.engine import Engine
    from tuneval.models.likelihood import Nll

# An engine holds all that it is given at once: the requests of whole benchmarks are gigabytes.
QUESTIONS_AT_ONCE = 512
RowOf = Callable[[str, Sequence["Nll"]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Measuring:
    """Where the answers of measured questions go. `row_of(id, likelihoods)` is what is kept."""

    row_of: RowOf
    kept: Kept
    stage: str
    total: int
    report: Report

    def measure(self, engine: Engine, asked: Mapping[str, Choosing | Reading]) -> None:
        """Measure every question that is not kept yet.

        What is measured after a kill is measured just as it would have been without.
        """
        names = list(asked)
        for first in range(0, len(names), QUESTIONS_AT_ONCE):
            part = {name: asked[name] for name in names[first : first + QUESTIONS_AT_ONCE]}
            if any(name not in self.kept for name in part):
                self._measure(engine, part)

    def _measure(self, engine: Engine, part: Mapping[str, Choosing | Reading]) -> None:
        waiting = {name: _Waiting([None] * len(q.requests)) for name, q in part.items()}
        places = [
            (name, n) for name, question in part.items() for n in range(len(question.requests))
        ]

        def hear(answers: Sequence[tuple[int, Nll]]) -> None:
            for index, nll in answers:
                name, number = places[index]
                if (whole := waiting[name].hear(number, nll)) is not None:
                    self.kept.append(self.row_of(name, whole))
                    self.report(ItemDone(self.stage, name, len(self.kept), self.total))

        engine.measure(
            [request for question in part.values() for request in question.requests],
            known=frozenset(i for i, (name, _) in enumerate(places) if name in self.kept),
            on_batch=hear,
            report=warnings_only(self.report),
        )


@dataclass(slots=True)
class _Waiting:
    """The likelihoods of one question as they come."""

    found: list[Nll | None]
    n_missing: int = field(init=False)

    def __post_init__(self) -> None:
        self.n_missing = len(self.found)

    def hear(self, number: int, nll: Nll) -> list[Nll] | None:
        """Take one; all of them when it was the last."""
        self.found[number] = nll
        self.n_missing -= 1
        return None if self.n_missing else [nll for nll in self.found if nll is not None]
