"""Gathers what the report of a run tells, from the run's own files."""

from __future__ import annotations

from typing import Any

from tuneval import files
from tuneval.data.fingerprint import data_hash
from tuneval.evaluation.comparing.compare import Comparison
from tuneval.evaluation.comparing.family import holm_over
from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.report.facts import (
    DataCard,
    ReportFacts,
    ScoringFacts,
    SelectionFacts,
    TrainingFacts,
    data_card,
)
from tuneval.evaluation.report.tasks.facts import TasksFacts
from tuneval.recipes.ablation import ablation_rows
from tuneval.recipes.on_tasks import results_on_tasks
from tuneval.recipes.recipe import CompareStep, EvaluateStep, ScoreStep, SelectStep, TrainStep
from tuneval.recipes.work import Work

WHOLE_SIDE = "the whole training side"


def report_facts(work: Work) -> ReportFacts:
    """Everything the run's finished steps left, for `write_report`."""
    recipe, run = work.plan.recipe, work.run
    trainings: dict[str, TrainingFacts] = {}
    evaluations: dict[str, EvaluationResult] = {}
    comparisons: dict[str, Comparison] = {}
    scorings: dict[str, ScoringFacts] = {}
    selections: dict[str, SelectionFacts] = {}
    for step in recipe.steps:
        result = run.step_result(step.name)
        if result is None:
            continue
        match step:
            case ScoreStep():
                scorings[step.name] = _scoring(result)
            case SelectStep():
                selections[step.name] = _selection(step, result)
            case TrainStep():
                trainings[step.name] = _training(step, result, work)
            case EvaluateStep() if not step.tasks:
                evaluations[step.name] = EvaluationResult.load(run.path("evaluation", step.name))
            case CompareStep():
                comparisons[step.name] = Comparison.from_dict(result)
    only = next(iter(trainings.values())) if len(trainings) == 1 else None
    on_tasks = results_on_tasks(work)
    manifest = run.manifest
    return ReportFacts(
        title=recipe.name,
        description=recipe.description,
        run_id=run.id,
        created=manifest.created,
        model=recipe.model,
        method=", ".join(dict.fromkeys(t.result["kind"] for t in trainings.values())) or None,
        template=recipe.template,
        template_hash=manifest.template_hash,
        command=manifest.command,
        data=_data(work),
        tokens=only.result["data"] if only else None,
        training=only.result if only else None,
        loss_log=only.loss_log if only else (),
        evaluations=evaluations,
        comparison=next(iter(comparisons.values())) if len(comparisons) == 1 else None,
        trainings=trainings if only is None else {},
        comparisons=holm_over(comparisons) if len(comparisons) > 1 else {},
        scorings=scorings,
        selections=selections,
        environment=files.read_json(run.path("environment.json")),
        tasks=TasksFacts(results=on_tasks, comparisons={}) if on_tasks else None,
        ablation=ablation_rows(recipe, comparisons),
    )


def _data(work: Work) -> DataCard:
    checked = work.run.path("data_check.json")
    return data_card(
        work.plan.recipe.data.file,
        data_hash(work.examples),
        {"train": work.sides.train, "held_out": work.sides.held_out},
        findings=files.read_json(checked)["findings"] if checked.exists() else (),
    )


def _training(step: TrainStep, result: dict[str, Any], work: Work) -> TrainingFacts:
    duration = step.duration
    log = files.read_jsonl(work.training_folder(step) / "trainer_log.jsonl")
    return TrainingFacts(
        examples=WHOLE_SIDE if step.examples is None else step.examples,
        duration=" ".join(f"{n:g} {unit}" for unit, n in duration.model_dump().items()),
        result=result,
        loss_log=[row for row in log if "loss" in row],
    )


def _scoring(result: dict[str, Any]) -> ScoringFacts:
    return ScoringFacts(
        measures={name: (n, result["unscored"][name]) for name, n in result["scored"].items()},
        seconds=result["seconds"],
    )


def _selection(step: SelectStep, result: dict[str, Any]) -> SelectionFacts:
    asked = step.model_dump(mode="json", exclude_defaults=True, exclude={"kind", "name"})
    return SelectionFacts(
        asked="; ".join(_words(name, value) for name, value in asked.items()),
        n_offered=result["offered"],
        n_chosen=result["chosen"],
        rejected=result["rejected"],
    )


def _words(name: str, value: Any) -> str:
    """A setting for a reader: `keep ifd < 1`, `top 20%`, `random`."""
    if value is True:
        return name
    return f"{name} {', '.join(value) if isinstance(value, list) else value}"
