"""What runs say of a model: how it was made, and what was measured of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tuneval import files
from tuneval.errors import StorageError
from tuneval.exporting.source import Source
from tuneval.runs.events import Report, Warned
from tuneval.runs.find import list_runs
from tuneval.runs.run import Run
from tuneval.statistics.estimate import Estimate

# Counts the prompt's tokens, too. Evaluations hold it to show that common mistake beside the right
# figure; on a card it would stand as if it were one.
_MISTAKEN = "token_accuracy_whole_sequence"


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric of the model. `before` and `difference` stand where it was compared, by item."""

    metric: str
    higher_is_better: bool
    value: Estimate
    before: Estimate | None = None
    difference: Estimate | None = None
    unscored: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """An evaluation of the model. `against` names what it was compared with."""

    run: str
    name: str
    n_items: int
    data_hash: str
    figures: tuple[Figure, ...]
    against: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """All that the card tells of a run. `training` is the result of its training step."""

    run: Run | None
    recipe: Mapping[str, Any]
    training: Mapping[str, Any] | None
    measured: tuple[Measured, ...]


def read_record(source: Source, report: Report) -> Record:
    """The record of the source's run, and of every run that evaluated just these weights."""
    run = None if source.run is None else Run.open(source.run)
    recipe: Mapping[str, Any] = {}
    if run is not None and run.path("recipe.yaml").is_file():
        with files.open_text(run.path("recipe.yaml")) as file:
            recipe = yaml.safe_load(file)
    return Record(
        run=run,
        recipe=recipe,
        training=None if run is None else _training(run, source),
        measured=tuple(_measured(run, source.hash, report)),
    )


def _training(run: Run, source: Source) -> Mapping[str, Any] | None:
    """The result of the step that trained the source; a run's only training has any name."""
    results = {name: run.step_result(name) or {} for name in run.finished_steps()}
    trainings = {name: found for name, found in results.items() if "train_loss" in found}
    if source.training == source.run:
        return next(iter(trainings.values()), None)
    return None if source.training is None else trainings.get(source.training.name)


def _measured(own: Run | None, model_hash: str, report: Report) -> Iterator[Measured]:
    """Evaluations of the weights: the own run's first, then other runs', newest first."""
    runs = {run.folder.resolve(): run for run in ([own] if own else []) + list_runs()}
    for run in runs.values():
        for path in sorted(run.folder.glob("evaluation/*/result.json")):
            try:
                result = files.read_json(path)
                if result["model_hash"] == model_hash:
                    yield _evaluation(run, result)
            except (StorageError, KeyError, TypeError, AttributeError) as error:
                report(Warned("export", f"{path} cannot be read and is left out: {error!r}"))


def _evaluation(run: Run, result: Mapping[str, Any]) -> Measured:
    against, compared = _comparison(run, result["name"])
    figures = []
    for name, metric in result["metrics"].items():
        row = compared.get(name)
        if metric["estimate"] is None or name == _MISTAKEN:
            continue
        figures.append(
            Figure(
                metric=name,
                higher_is_better=metric["higher_is_better"],
                value=Estimate.from_dict(metric["estimate"]),
                before=Estimate.from_dict(row["a"]) if row else None,
                difference=Estimate.from_dict(row["difference"]) if row else None,
                unscored=sum(metric["unscored"].values()),
            )
        )
    return Measured(
        run=run.id,
        name=result["name"],
        n_items=result["n_items"],
        data_hash=result["data_hash"],
        figures=tuple(figures),
        against=against,
    )


def _comparison(run: Run, name: str) -> tuple[str | None, dict[str, Mapping[str, Any]]]:
    """What the evaluation `name` was compared with, and the comparison's rows by metric."""
    for step in run.finished_steps():
        result = run.step_result(step) or {}
        if "rows" in result and result.get("b") == name:
            return str(result["a_model"]), {row["metric"]: row for row in result["rows"]}
    return None, {}
