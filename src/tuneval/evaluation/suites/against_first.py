"""Every model of a suite compared with the first one, task by task, as one family of tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tuneval.evaluation.comparing.compare import compare
from tuneval.evaluation.comparing.compare_several import renamed
from tuneval.evaluation.comparing.comparison import Comparison, Evaluation
from tuneval.evaluation.report.tasks.facts import main_metric
from tuneval.statistics.multiple import holm

Comparisons = Mapping[str, Mapping[str, Comparison]]
"""By task and by the label of the model that is compared with the first one."""


def against_first(evaluations: Mapping[str, Mapping[str, Evaluation]]) -> Comparisons:
    """Comparisons of evaluations by model and task; differences are less the first model's.

    `p_holm` of each task's main metric is adjusted for all models and tasks, as these are what
    one looks at together; that of the other metrics for their own comparison.
    """
    first, *others = evaluations
    found = {
        title: {
            label: compare(renamed(one, first), renamed(evaluations[label][title], label))
            for label in others
        }
        for title, one in evaluations[first].items()
    }
    mains = {title: main_metric(evaluations[first][title].result) for title in found}
    return _adjusted(found, mains)


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
