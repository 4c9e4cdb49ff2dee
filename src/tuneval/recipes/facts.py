"""Gathers what the report of a run tells, from the run's own files."""

from __future__ import annotations

from tuneval import files
from tuneval.data.fingerprint import data_hash
from tuneval.evaluation.compare import Comparison
from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.report.facts import ReportFacts, data_card
from tuneval.recipes.recipe import CompareStep, EvaluateStep, TrainStep
from tuneval.recipes.work import Work


def report_facts(work: Work) -> ReportFacts:
    """Everything the run's finished steps left, for `write_report`."""
    recipe, run = work.plan.recipe, work.run
    manifest = run.manifest
    training, loss_log, comparison = None, [], None
    evaluations: dict[str, EvaluationResult] = {}
    for step in recipe.steps:
        match step:
            case TrainStep():
                training = run.step_result(step.name)
                loss_log = files.read_jsonl(run.path("trainer_log.jsonl"))
            case EvaluateStep():
                evaluations[step.name] = EvaluationResult.load(run.path("evaluation", step.name))
            case CompareStep():
                comparison = Comparison.from_dict(run.step_result(step.name) or {})
    checked = run.path("data_check.json")
    card = data_card(
        recipe.data.file,
        data_hash(work.examples),
        {"train": work.sides.train, "held_out": work.sides.held_out},
        findings=files.read_json(checked)["findings"] if checked.exists() else (),
    )
    return ReportFacts(
        title=recipe.name,
        description=recipe.description,
        run_id=run.id,
        created=manifest.created,
        model=recipe.model,
        method=training["kind"] if training else None,
        template=recipe.template,
        template_hash=manifest.template_hash,
        command=manifest.command,
        data=card,
        tokens=training["data"] if training else None,
        training=training,
        loss_log=loss_log,
        evaluations=evaluations,
        comparison=comparison,
        environment=files.read_json(run.path("environment.json")),
    )
