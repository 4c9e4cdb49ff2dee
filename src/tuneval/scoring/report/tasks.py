"""The measures by task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tuneval.scoring.report.measures import MeasureFacts, Spread, spread_of
from tuneval.scoring.row import ScoreRow

MOST_TASKS = 30


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """A task's examples, and how each measure spreads among them; `task` is None without one."""

    task: str | None
    n: int
    spreads: dict[str, Spread | None]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        means = {name: s.mean.as_dict() if s else None for name, s in self.spreads.items()}
        return {"task": self.task, "n": self.n, "means": means}


def task_facts(rows: Sequence[ScoreRow], measures: Sequence[MeasureFacts]) -> list[TaskFacts]:
    """Every task, the largest first, those without one last; nothing where no example has one."""
    places: dict[str | None, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(row.task, []).append(place)
    if not any(task is not None for task in places):
        return []
    order = sorted(places, key=lambda task: (task is None, -len(places[task]), task or ""))
    return [_facts(task, places[task], measures) for task in order]


def _facts(task: str | None, places: list[int], measures: Sequence[MeasureFacts]) -> TaskFacts:
    spreads = {}
    for measure in measures:
        values = measure.values[places]
        spreads[measure.name] = spread_of(values[np.isfinite(values)], measure.reading.unit)
    return TaskFacts(task, len(places), spreads)
