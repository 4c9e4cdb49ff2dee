"""Evaluate steps that ask tasks: one model loaded once, one folder for each task."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.asking.prepare_task import PreparedTask, prepare_task
from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.tasks import task_from
from tuneval.recipes.recipe import CompareStep, EvaluateStep, Recipe

if TYPE_CHECKING:
    from tuneval.recipes.work import Work


def tasks_of(step: EvaluateStep) -> list[PreparedTask]:
    """The tasks of a step, read. Raises DataError for one that cannot be."""
    return [prepare_task(task_from(task), step) for task in step.tasks]


def evaluate_on_tasks(step: EvaluateStep, work: Work) -> dict[str, Any]:
    """Every task of the step; the results by the task's title."""
    from tuneval.evaluation.answering.opening import open_respondent
    from tuneval.evaluation.asking.evaluate_task import evaluate_task

    results = {}
    prepared = tasks_of(step)
    template = work.plan.recipe.template
    with open_respondent(
        work.model_of(step), step, template=template, report=work.report
    ) as respondent:
        for task in prepared:
            title = task.task.title
            result = evaluate_task(
                task,
                respondent,
                folder=work.run.path("evaluation", step.name, title),
                name=f"{step.name}/{title}",
                report=work.report,
            )
            results[title] = result.as_dict()
    return results


def results_on_tasks(work: Work) -> dict[str, dict[str, EvaluationResult]]:
    """What the finished steps came to, by step and by the task's title."""
    found: dict[str, dict[str, EvaluationResult]] = {}
    for step in work.plan.recipe.steps:
        if isinstance(step, EvaluateStep) and step.tasks:
            results: Mapping[str, Any] = work.run.step_result(step.name) or {}
            if results:
                found[step.name] = {
                    title: EvaluationResult.from_dict(result) for title, result in results.items()
                }
    return found


def compared_folders(step: CompareStep, work: Work) -> tuple[Path, Path]:
    """The folders of the two evaluations that a compare step names."""
    return _folder(step.a, step.task, work), _folder(step.b, step.task, work)


def _folder(name: str, task: str | None, work: Work) -> Path:
    titles = titles_of(work.plan.recipe, name)
    place = work.run.path("evaluation", name)
    return place / (task or titles[0]) if titles else place


def titles_of(recipe: Recipe, name: str) -> list[str]:
    """The titles of the tasks of an evaluate step; none where it is of the held-out side."""
    step = next(s for s in recipe.steps if isinstance(s, EvaluateStep) and s.name == name)
    return step.titles
