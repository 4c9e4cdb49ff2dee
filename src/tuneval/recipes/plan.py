"""What a recipe would do: each step with its key, done already or still to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuneval import __version__, files
from tuneval.data.fingerprint import set_hash
from tuneval.data.origin import is_plain_path
from tuneval.errors import DataError
from tuneval.models.load import model_hash
from tuneval.models.reference import parse_reference
from tuneval.recipes.on_tasks import tasks_of
from tuneval.recipes.recipe import (
    CompareStep,
    EvaluateStep,
    Recipe,
    ReportStep,
    ScoreStep,
    SelectStep,
    ShowStep,
    Step,
    TrainStep,
)
from tuneval.runs.find import find_by_key
from tuneval.runs.run import Run

SHIPPED = "shipped:"


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step, the key over everything its result depends on, and whether that result is there."""

    step: Step
    key: str
    done: bool

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"name": self.step.name, "kind": self.step.kind, "key": self.key, "done": self.done}


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of a recipe; `run` is the folder that has begun it, if any."""

    recipe: Recipe
    data_file: str
    data_sha256: str
    key: str
    run: Run | None
    steps: tuple[PlannedStep, ...]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "recipe": self.recipe.name,
            "data": self.data_file,
            "data_sha256": self.data_sha256,
            "key": self.key,
            "run": self.run.id if self.run else None,
            "steps": [step.as_dict() for step in self.steps],
        }


def plan_recipe(recipe: Recipe, *, root: Path, fresh: bool = False) -> Plan:
    """Hash every step over its settings, the data and the steps it builds on.

    `fresh` plans a new run even where one with the same key exists.
    """
    recipe, weights = _settled(recipe)
    data_file = locate(recipe.data.file)
    digest = set_hash(data_file, recipe.data.format)
    keys: dict[str, str] = {}
    for step in recipe.steps:
        keys[step.name] = files.sha256_json(
            {
                "step": step.model_dump(mode="json"),
                "settings": _settings(recipe, step),
                "data": digest,
                "needs": [keys[name] for name in _needs(recipe, step, list(keys))],
                "version": __version__,
                **weights,
            }
        )
    key = files.sha256_json([recipe.name, *keys.values()])
    run = None if fresh else find_by_key(root, key)
    steps = tuple(
        PlannedStep(
            step, keys[step.name], run is not None and run.is_step_done(step.name, keys[step.name])
        )
        for step in recipe.steps
    )
    return Plan(recipe, data_file, digest, key, run, steps)


def locate(file: str) -> str:
    """The set a recipe names (see `data.origin`); `shipped:` stands for what tuneval brings."""
    if file.startswith(SHIPPED):
        return str(files.shipped(file.removeprefix(SHIPPED)))
    if is_plain_path(file) and not Path(file).exists():
        raise DataError(
            "The data file is not there.",
            where=file,
            mend="check the path: it counts from where you are; in a recipe it is data.file",
        )
    return file


def _settled(recipe: Recipe) -> tuple[Recipe, dict[str, str]]:
    """The recipe with its model named for good, and what its weights are where they can change.

    `run:latest` would soon be the run that is planned; a folder may be written anew.
    """
    reference = parse_reference(recipe.model)
    if reference.kind not in ("folder", "run"):
        return recipe, {}
    if reference.kind == "run":
        recipe = recipe.model_copy(update={"model": reference.text})
    return recipe, {"weights": model_hash(reference.text)}


def _settings(recipe: Recipe, step: Step) -> dict[str, object]:
    """The recipe's own settings that a step's result depends on."""
    settings: dict[str, object] = {"data": recipe.data.model_dump(mode="json", exclude={"file"})}
    if isinstance(step, ShowStep | TrainStep | EvaluateStep):
        settings |= {"model": recipe.model, "template": recipe.template}
        if isinstance(step, EvaluateStep) and step.tasks:
            settings["tasks"] = [task.hash for task in tasks_of(step)]
    elif isinstance(step, ScoreStep):
        prompts = Path(step.prompts)
        settings["model"] = recipe.model
        settings["prompts"] = files.sha256_file(prompts) if prompts.is_file() else step.prompts
    settings["seed"] = recipe.seed
    return settings


def _needs(recipe: Recipe, step: Step, earlier: list[str]) -> list[str]:
    """The names of the earlier steps whose results this step builds on."""
    match step:
        case SelectStep(scores=str(scores)):
            return [scores]
        case TrainStep(examples=str(selection)):
            return [selection]
        case EvaluateStep() if training := recipe.training_of(step):
            return [training.name]
        case CompareStep():
            return [step.a, step.b]
        case ReportStep():
            return earlier
        case _:
            return []
