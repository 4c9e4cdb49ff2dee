"""The one table of an ablation: every cell of a matrix beside the baseline, paired by item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tuneval.evaluation.comparing.ablation import AblationRow
from tuneval.evaluation.comparing.comparison import Comparison
from tuneval.evaluation.comparing.family import holm_over
from tuneval.recipes.recipe import CompareStep, Recipe


def ablation_rows(recipe: Recipe, comparisons: Mapping[str, Comparison]) -> list[AblationRow]:
    """The cells of the recipe's matrix, metric by metric, in their order; none without a matrix.

    `comparisons` are those of its compare steps, by name; p is adjusted for all of them (Holm).
    """
    return list(_rows(recipe, holm_over(comparisons)))


def _rows(recipe: Recipe, comparisons: Mapping[str, Comparison]) -> Iterator[AblationRow]:
    cells = {
        step.name: step
        for step in recipe.steps
        if isinstance(step, CompareStep) and step.levels and step.name in comparisons
    }
    compared = dict.fromkeys(
        (step.task, row.metric) for name, step in cells.items() for row in comparisons[name].rows
    )
    for task, metric in compared:
        for name, step in cells.items():
            row = comparisons[name].row(metric) if step.task == task else None
            if row is not None:
                yield AblationRow(step.levels, step.a, step.b, row, task)
