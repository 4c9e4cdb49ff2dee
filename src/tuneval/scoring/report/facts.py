"""Everything the report tells, computed once for both forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from tuneval.pages.text import Text
from tuneval.scoring.report.correlations import Correlation, correlations
from tuneval.scoring.report.ends import Ends, find_ends
from tuneval.scoring.report.measures import MeasureFacts, measure_facts
from tuneval.scoring.report.models import ModelComparison, compare_models, labels
from tuneval.scoring.report.tasks import TaskFacts, task_facts
from tuneval.scoring.scores import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFacts:
    """`card` is that of the scores; `remark` says why examples stand without their texts."""

    title: str
    label: str
    card: dict[str, Any]
    n: int
    n_incomplete: int
    measures: tuple[MeasureFacts, ...]
    correlations: tuple[Correlation, ...]
    tasks: tuple[TaskFacts, ...]
    ends: dict[str, Ends]
    remark: Text | None
    comparisons: tuple[ModelComparison, ...]

    def measure(self, name: str) -> MeasureFacts | None:
        """The measure of that name, if it was asked for."""
        return next((measure for measure in self.measures if measure.name == name), None)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "data": self.card.get("data"),
            "model": self.card.get("model"),
            "n_examples": self.n,
            "n_incomplete": self.n_incomplete,
            "measures": {measure.name: measure.as_dict() for measure in self.measures},
            "correlations": [pair.as_dict() for pair in self.correlations],
            "tasks": [task.as_dict() for task in self.tasks],
            "ends": {name: ends.as_dict() for name, ends in self.ends.items()},
            "remark": self.remark.en if self.remark else None,
            "comparisons": [comparison.as_dict() for comparison in self.comparisons],
        }


def gather(scores: Scores, others: Sequence[Scores]) -> ScoreFacts:
    """All facts of the scores; each of the others is compared with them."""
    measures = measure_facts(scores)
    first, *names = labels([scores, *others])
    ends, remark = find_ends(scores, measures)
    return ScoreFacts(
        title=_title(str(scores.card.get("data") or scores.folder)),
        label=first,
        card=scores.card,
        n=len(scores.rows),
        n_incomplete=sum(
            any(row.scores.get(m.name) is None for m in measures) for row in scores.rows
        ),
        measures=tuple(measures),
        correlations=tuple(correlations(measures)),
        tasks=tuple(task_facts(scores.rows, measures)),
        ends=ends,
        remark=remark,
        comparisons=tuple(
            compare_models(scores, other, (first, name), (measures, measure_facts(other)))
            for other, name in zip(others, names, strict=True)
        ),
    )


def _title(location: str) -> str:
    return PurePath(location.rstrip("/").rpartition("#")[2]).name or location
