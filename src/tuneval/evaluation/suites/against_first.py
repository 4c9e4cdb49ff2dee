"""Every model of a suite compared with the first one, task by task, as one family of tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tuneval.evaluation.compare import compare
from tuneval.evaluation.compare_several import renamed
from tuneval.evaluation.comparison import Comparison, Evaluation
from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.stability.repeats import source_of
from tuneval.statistics.multiple import holm

Comparisons = Mapping[str, Mapping[str, Comparison]]
"""By task and by the label of the model that is compared with the first one."""


def against_first(
    folder: Path, results: Mapping[str, Mapping[str, EvaluationResult]]
) -> Comparisons:
    """Comparisons of the finished evaluations `folder/LABEL/TASK`; differences are less the first.

    `p_holm` of each task's main metric is adjusted for all models and tasks, as these are what
    one looks at together; that of the other metrics for their own comparison. Repeats of an
    evaluation are not compared: how far they differ is what `stability` tells.
    """
    first, *others = results
    found = {
        title: {label: _pair(folder, first, label, title) for label in others}
        for title in results[first]
        if source_of(title)[1] is None
    }
    return _adjusted(found, {title: _main(results[first][title]) for title in found})


def _pair(folder: Path, first: str, label: str, title: str) -> Comparison:
    a, b = (renamed(Evaluation.load(folder / name / title), name) for name in (first, label))
    return compare(a, b)


def _main(result: EvaluationResult) -> str:
    return next(iter(result.metrics)) if result.task is None else result.task.main


def _adjusted(found: Comparisons, mains: Mapping[str, str]) -> Comparisons:
    """The same with one family of the main metrics."""
    places = [
        (title, label, row)
        for title, pairs in found.items()
        for label, pair in pairs.items()
        if (row := pair.row(mains[title])) is not None
    ]
    adjusted = {
        (title, label): p_holm
        for (title, label, _), p_holm in zip(
            places, holm([row.p_value for *_, row in places]), strict=True
        )
    }
    return {
        title: {
            label: replace(
                pair,
                rows=tuple(
                    replace(row, p_holm=adjusted[title, label])
                    if row.metric == mains[title]
                    else row
                    for row in pair.rows
                ),
            )
            for label, pair in pairs.items()
        }
        for title, pairs in found.items()
    }
