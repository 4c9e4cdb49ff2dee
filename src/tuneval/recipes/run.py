"""Carry out a recipe: skip what is done, continue what is not, record everything."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tuneval import files
from tuneval.environment import describe_environment
from tuneval.errors import TunevalError
from tuneval.recipes.plan import Plan
from tuneval.recipes.recipe import Recipe
from tuneval.recipes.steps import carry_out
from tuneval.recipes.work import Work
from tuneval.runs.events import Failed, Report, ignore
from tuneval.runs.recorder import Recorder, tee
from tuneval.runs.run import Run


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What a step came to; `cached` when an earlier start of the run had done it."""

    name: str
    kind: str
    result: dict[str, Any]
    cached: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished run and what each of its steps came to."""

    run: Run
    steps: tuple[StepOutcome, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "run": self.run.id,
            "folder": str(self.run.folder),
            "steps": {s.name: s.result for s in self.steps},
            "cached": [s.name for s in self.steps if s.cached],
        }


def run_recipe(
    plan: Plan,
    *,
    root: Path,
    report: Report = ignore,
    on_step: Callable[[StepOutcome], None] | None = None,
) -> Outcome:
    """Carry out the steps of `plan` in order, in its run folder or a new one.

    A failed or interrupted run keeps all that is finished; the same call goes on from there.
    """
    run = plan.run or _create(plan, root)
    with run.at_work():
        _describe(run, plan.recipe)
        told = tee(Recorder(run), report)
        work = Work(plan=plan, run=run, report=told)
        outcomes = []
        try:
            for planned in plan.steps:
                step = planned.step
                cached = run.is_step_done(step.name, planned.key)
                if not cached:
                    run.mark_step(step.name, planned.key, carry_out(step, work))
                outcome = StepOutcome(
                    step.name, step.kind, run.step_result(step.name) or {}, cached
                )
                outcomes.append(outcome)
                if on_step is not None:
                    on_step(outcome)
        except TunevalError as error:
            told(Failed(step.name, error.what, error.where, error.mend))
            raise
    return Outcome(run, tuple(outcomes))


def _create(plan: Plan, root: Path) -> Run:
    recipe = plan.recipe
    return Run.create(
        root,
        recipe.name,
        plan.key,
        status="running",
        command=" ".join(["tuneval", *sys.argv[1:]]),
        recipe_hash=files.sha256_json(recipe.model_dump(mode="json")),
        data_hash=plan.data_sha256,
        model=recipe.model,
    )


def _describe(run: Run, recipe: Recipe) -> None:
    """What was asked and what it runs on, unless an earlier start has written it."""
    if run.path("environment.json").exists():
        return
    asked = recipe.model_dump(mode="json", exclude_unset=True)
    files.write_text(run.path("recipe.yaml"), _yaml(asked))
    files.write_text(run.path("resolved.yaml"), _yaml(recipe.model_dump(mode="json")))
    files.write_json(run.path("environment.json"), describe_environment(seed=recipe.seed))


def _yaml(content: Any) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
