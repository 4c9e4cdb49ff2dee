"""Everything that is told of models on tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tuneval.evaluation.asking.overall import ITEMS
from tuneval.evaluation.comparing.comparison import Comparison, ComparisonRow
from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.stability.repeats import source_of
from tuneval.evaluation.suites.matrix import Matrix
from tuneval.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksFacts:
    """`results` by model and task; `comparisons` by task and by the model set against the first.

    Every model has answered every task. `matrix` says which aspects of them were measured.
    """

    results: Mapping[str, Mapping[str, EvaluationResult]]
    comparisons: Mapping[str, Mapping[str, Comparison]]
    matrix: Matrix | None = None

    @property
    def models(self) -> list[str]:
        """The models' labels, the first one first."""
        return list(self.results)

    @property
    def titles(self) -> list[str]:
        """The tasks' titles."""
        return list(dict.fromkeys(title for tasks in self.results.values() for title in tasks))

    def of(self, title: str) -> dict[str, EvaluationResult]:
        """The results of one task by model."""
        return {label: tasks[title] for label, tasks in self.results.items() if title in tasks}

    @property
    def told(self) -> list[str]:
        """The titles without the later ones of repeated runs, which `stability` tells of."""
        first = {source_of(title)[0]: title for title in reversed(self.titles)}
        return [title for title in self.titles if title in first.values()]

    def differences(self) -> list[tuple[str, str, ComparisonRow]]:
        """Task, model and the difference of its main metric to the first model's."""
        return [
            (title, label, row)
            for title, pairs in self.comparisons.items()
            for label, pair in pairs.items()
            if (row := pair.row(main_metric(next(iter(self.of(title).values()))))) is not None
        ]


def main_metric(result: EvaluationResult) -> str:
    """The metric that stands for a task."""
    return next(iter(result.metrics)) if result.task is None else result.task.main


def headline(result: EvaluationResult) -> Estimate | None:
    """The main figure as the protocol averages it."""
    return result.figure(main_metric(result))


def averaged(result: EvaluationResult, metric: str | None = None) -> str:
    """How a figure, the main one, is averaged: "items", or the tag whose values count alike."""
    name = main_metric(result) if metric is None else metric
    figure = None if result.task is None else result.task.figure(name)
    return ITEMS if figure is None else figure.over
