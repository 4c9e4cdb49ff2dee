"""Scenario × aspect: what was measured of each model, and what was not, in HELM's spirit.

Seven aspects (Liang et al. 2022): a gap is shown as one, with its reason, so that nobody takes an
accuracy for the whole of a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from tuneval.evaluation.account import clusters_of
from tuneval.evaluation.comparing.averaging import averaging_of
from tuneval.evaluation.comparing.comparison import Evaluation
from tuneval.evaluation.items import Item
from tuneval.evaluation.kinds.per_item import PerItem
from tuneval.evaluation.kinds.worst import Worst
from tuneval.evaluation.metric import Family, Metric
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.result import MetricResult
from tuneval.evaluation.robustness.families import items_for
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.sample import Floats

Aspect = Literal[
    "accuracy", "calibration", "robustness", "fairness", "bias", "toxicity", "efficiency"
]
ASPECTS: tuple[Aspect, ...] = get_args(Aspect)
NOT_ASKED = "not measured"
UNKNOWN = "no metric of tuneval measures it"
SEED = 17

_FAMILIES: Mapping[Aspect, Family] = {
    "calibration": "calibration",
    "robustness": "robustness",
    "efficiency": "efficiency",
}
_FIRST = ("worst_case", "ece", "seconds_to_first_token")
"""Of several metrics of an aspect, the kind that stands for it; else the first that is there."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure, or the reason why there is none."""

    metric: str | None
    estimate: Estimate | None
    gap: str | None


@dataclass(frozen=True, slots=True)
class WinRates:
    """Of one aspect, each model's mean win rate, over `scenarios`.

    `warnings` say what a reader must know before taking it for a ranking.
    """

    aspect: Aspect
    scenarios: tuple[str, ...]
    rates: Mapping[str, Estimate]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """`cells` by model, scenario and aspect; `win_rates` for two models or more."""

    models: tuple[str, ...]
    scenarios: tuple[str, ...]
    cells: Mapping[str, Mapping[str, Mapping[Aspect, Cell]]]
    win_rates: tuple[WinRates, ...]

    def measured(self) -> list[Aspect]:
        """The aspects that any model has a figure of."""
        every = [row for scenarios in self.cells.values() for row in scenarios.values()]
        return [a for a in ASPECTS if any(row[a].estimate is not None for row in every)]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


Evaluations = Mapping[str, Mapping[str, Evaluation]]
"""By model and scenario."""


def scenario_matrix(evaluations: Evaluations, *, seed: int = SEED) -> Matrix:
    """The matrix of evaluations; a scenario that a model was not asked is a gap."""
    scenarios = tuple(dict.fromkeys(s for asked in evaluations.values() for s in asked))
    cells = {
        model: {scenario: _cells(asked.get(scenario)) for scenario in scenarios}
        for model, asked in evaluations.items()
    }
    rates = []
    if len(evaluations) > 1:
        for aspect in ASPECTS:
            found = _win_rates(aspect, scenarios, evaluations, cells, seed)
            if found is not None:
                rates.append(found)
    return Matrix(tuple(evaluations), scenarios, cells, tuple(rates))


def _cells(evaluation: Evaluation | None) -> dict[Aspect, Cell]:
    if evaluation is None:
        return dict.fromkeys(ASPECTS, Cell(None, None, "not asked"))
    return {aspect: _cell(aspect, evaluation.result) for aspect in ASPECTS}


def _cell(aspect: Aspect, result: EvaluationResult) -> Cell:
    if aspect == "accuracy":
        return _main_cell(result)
    if aspect not in _FAMILIES:
        return Cell(None, None, UNKNOWN)
    of_aspect = [
        found
        for name, found in result.metrics.items()
        if load_metric(name).about.family == _FAMILIES[aspect]
    ]
    of_aspect.sort(key=lambda found: (found.estimate is None, not found.metric.startswith(_FIRST)))
    return _of_result(of_aspect[0]) if of_aspect else Cell(None, None, NOT_ASKED)


def _main_cell(result: EvaluationResult) -> Cell:
    """The metric that stands for the task, as its protocol averages it."""
    name = next(iter(result.metrics)) if result.task is None else result.task.main
    figure = result.figure(name)
    return _of_result(result.metrics[name]) if figure is None else Cell(name, figure, None)


def _of_result(found: MetricResult) -> Cell:
    if found.estimate is not None:
        return Cell(found.metric, found.estimate, None)
    reasons = sorted(found.unscored, key=lambda reason: -found.unscored[reason])
    return Cell(found.metric, None, reasons[0] if reasons else NOT_ASKED)


def _win_rates(
    aspect: Aspect,
    scenarios: Sequence[str],
    evaluations: Evaluations,
    cells: Mapping[str, Mapping[str, Mapping[Aspect, Cell]]],
    seed: int,
) -> WinRates | None:
    """Over the scenarios where every model has a figure of one metric with a better side."""
    from tuneval.statistics.win_rate import Scenario, mean_win_rates, reversals

    used: list[str] = []
    graded: list[Scenario] = []
    without_spread: list[str] = []
    for scenario in scenarios:
        row = [cells[model][scenario][aspect] for model in evaluations]
        names = {cell.metric for cell in row if cell.estimate is not None}
        if len(names) != 1 or any(cell.estimate is None for cell in row):
            continue
        measure = load_metric(str(names.pop()))
        if measure.about.higher_is_better is None:
            continue
        grades, counted = _grades(measure, [asked[scenario] for asked in evaluations.values()])
        if grades is None:
            without_spread.append(scenario)
            grades = _figures(row)
        used.append(scenario)
        graded.append(Scenario(grades, measure.about.higher_is_better, clusters_of(counted)))
    if not used:
        return None
    rates = mean_win_rates(graded, seed=seed)
    names_of = tuple(evaluations)
    warnings = [
        f"a win rate belongs to this list of {len(names_of)} models: with another list it changes",
        *(
            f"without {names_of[r.left_out]} the order of {names_of[r.first]} and "
            f"{names_of[r.second]} turns round"
            for r in reversals(graded)
        ),
    ]
    if without_spread:
        warnings.append(
            f"figures of the whole set enter without their uncertainty: {', '.join(without_spread)}"
        )
    return WinRates(aspect, tuple(used), dict(zip(names_of, rates, strict=True)), tuple(warnings))


def _grades(
    measure: Metric, evaluations: Sequence[Evaluation]
) -> tuple[Floats | None, Sequence[Item]]:
    """Grades (n_models, n_items) of the items that count for every model; None without grades.

    Their means are the models' figures as the task averages them.
    """
    import numpy as np

    wanted = [items_for(measure, each.items) for each in evaluations]
    of_task = measure
    if isinstance(measure, Worst):
        counted = [[item for item in own if measure.missing(item) is None] for own in wanted]
        by_id = [measure.worst_of(own) for own in counted]
        measure = measure.inner
    else:
        by_id = [{item.id: item for item in own} for own in wanted]
    if not isinstance(measure, PerItem):
        return None, ()
    common = [
        key
        for key in by_id[0]
        if all(key in own and measure.missing(own[key]) is None for own in by_id)
    ]
    if not common:
        return None, ()
    shared = [by_id[0][key] for key in common]
    grades = np.array([[measure.known(own[key]) for key in common] for own in by_id], dtype=float)
    averaging, _ = averaging_of(of_task, evaluations, shared)
    if averaging is not None:
        grades = np.array([averaging.as_plain_mean(own, shared) for own in grades])
    return grades, shared


def _figures(row: Sequence[Cell]) -> Floats:
    import numpy as np

    values = [cell.estimate.value for cell in row if cell.estimate is not None]
    return np.array(values, dtype=np.float64)[:, None]
