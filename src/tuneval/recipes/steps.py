"""How each kind of step is carried out. Rooms that need torch are imported by the step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tuneval import files
from tuneval.data.validate import check
from tuneval.errors import DataError
from tuneval.recipes.choosing import learnt_from, score_side, select_from
from tuneval.recipes.on_tasks import compared_folders, evaluate_on_tasks
from tuneval.recipes.recipe import (
    CheckStep,
    CompareStep,
    EvaluateStep,
    ReportStep,
    ScoreStep,
    SelectStep,
    ShowStep,
    Step,
    TrainStep,
)
from tuneval.recipes.work import Work
from tuneval.runs.events import Finished, Report, Started

ABLATION_NAME = "ablation.json"


def carry_out(step: Step, work: Work) -> dict[str, Any]:
    """Do one step; its result for the record."""
    match step:
        case CheckStep():
            return _check(work)
        case ShowStep():
            return _show(step, work)
        case ScoreStep():
            return score_side(step, work)
        case SelectStep():
            return select_from(step, work)
        case TrainStep():
            return _train(step, work)
        case EvaluateStep():
            return _evaluate(step, work)
        case CompareStep():
            return _compare(step, work)
        case ReportStep():
            return _report(step, work)


def _check(work: Work) -> dict[str, Any]:
    work.report(Started("check", None, "records"))
    found = check(work.plan.data_file, format=work.plan.recipe.data.format)
    files.write_json(work.run.path("data_check.json"), found.as_dict())
    if found.exit_status != 0:
        first = next(f for f in found.findings if f.severity == "error")
        raise DataError(
            f"The data has errors, the first: {first.what}",
            where=first.where,
            mend=f"{first.mend}; `tuneval data check {work.plan.data_file}` shows all",
        )
    work.report(Finished("check"))
    return {
        "file": work.plan.data_file,
        "records": found.n_records,
        "findings": found.n_findings,
        "train": len(work.sides.train),
        "held_out": len(work.sides.held_out),
    }


def _show(step: ShowStep, work: Work) -> dict[str, Any]:
    from tuneval.models.load import load_tokenizer
    from tuneval.tokenization import load_template
    from tuneval.tokenization.show import show

    recipe = work.plan.recipe
    tokenizer = load_tokenizer(recipe.model, report=work.report)
    template = load_template(tokenizer, recipe.template)
    work.run.update(template_hash=template.hash)
    shown = []
    for example in work.sides.train[: step.examples]:
        tokens = template.encode(example).tokens
        parts = [{"text": s.text, "trained": s.trained} for s in show(tokens, tokenizer)]
        shown.append({"example": example.id, "where": str(example.source), "tokens": parts})
    return {"template": template.name, "template_hash": template.hash, "examples": shown}


def _train(step: TrainStep, work: Work) -> dict[str, Any]:
    from tuneval.training.train import train

    recipe = work.plan.recipe
    result = train(
        step,
        model=recipe.model,
        examples=learnt_from(step, work),
        folder=work.training_folder(step),
        template=recipe.template,
        report=_told_as(step.name, work),
    )
    work.run.update(template_hash=result.template_hash)
    return result.as_dict()


def _told_as(name: str, work: Work) -> Report:
    """Where there are several trainings, each says which it is."""
    if len(work.plan.recipe.trainings) == 1:
        return work.report
    return lambda event: work.report(replace(event, stage=f"{event.stage} {name}"))


def _evaluate(step: EvaluateStep, work: Work) -> dict[str, Any]:
    from tuneval.evaluation.evaluate import evaluate

    if step.tasks:
        return evaluate_on_tasks(step, work)
    result = evaluate(
        step,
        model=work.model_of(step),
        examples=work.sides.held_out,
        folder=work.run.path("evaluation", step.name),
        name=step.name,
        template=work.plan.recipe.template,
        report=work.report,
    )
    return result.as_dict()


def _compare(step: CompareStep, work: Work) -> dict[str, Any]:
    from tuneval.evaluation.comparing.compare import compare_folders

    comparison = compare_folders(
        *compared_folders(step, work),
        metrics=step.metrics,
        seed=work.plan.recipe.seed,
    )
    result = comparison.as_dict()
    files.write_json(work.run.path(f"{step.name}.json"), result)
    return result


def _report(step: ReportStep, work: Work) -> dict[str, Any]:
    from tuneval.evaluation.report import write_report
    from tuneval.recipes.ablation import ablation_rows
    from tuneval.recipes.facts import report_facts

    cells = ablation_rows(work.plan.recipe, work.comparisons())
    if cells:
        files.write_json(work.run.path(ABLATION_NAME), [row.as_dict() for row in cells])
    written = write_report(work.run.folder, report_facts(work))
    folder = work.run.folder
    return {
        "markdown": str(written.markdown.relative_to(folder)),
        "html": str(written.html.relative_to(folder)),
    }
