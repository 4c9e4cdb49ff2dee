"""What a recipe may say. Unknown fields are errors; every default is in sight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tuneval.catalog import near_names
from tuneval.data.example import Kind
from tuneval.errors import TunevalError
from tuneval.evaluation.evaluate import EvaluateConfig
from tuneval.evaluation.tasks import task_from
from tuneval.recipes.matrix import Matrix
from tuneval.scoring.config import ScoreConfig
from tuneval.scoring.selection.config import SelectConfig
from tuneval.training.config import TrainConfig
from tuneval.training.stages import STAGES

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]

BASE, TRAINED = "base", "trained"
"""What an evaluate step may call its model, beside the name of a train step."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSection(_Section):
    """The examples and how they part into training and held-out items.

    `limit` takes the first examples only, before they part.
    """

    file: str
    format: str = "auto"
    limit: Annotated[int, Field(ge=1)] | None = None
    held_out: Annotated[float, Field(ge=0, lt=1)] = 0.25
    by: Literal["group", "id"] = "group"


class CheckStep(_Section):
    """Check the data; errors stop the run."""

    kind: Literal["check"]
    name: Name = "check"


class ShowStep(_Section):
    """Show which tokens will be trained, on the first examples."""

    kind: Literal["show"]
    name: Name = "show"
    examples: Annotated[int, Field(ge=1, le=50)] = 2


class ScoreStep(ScoreConfig):
    """Score the examples of the training side with the base model."""

    kind: Literal["score"]
    name: Name = "score"


class SelectStep(SelectConfig):
    """Choose examples of the training side, by the scores of an earlier step or at random."""

    kind: Literal["select"]
    name: Name = "select"
    scores: Name | None = None


class TrainStep(TrainConfig):
    """Train the base model on the training side, or on what a select step chose of it."""

    kind: Literal["train"]
    name: Name = "train"
    examples: Name | None = None


class EvaluateStep(EvaluateConfig):
    """Evaluate a model, `base`, `trained` or that of a train step, on the held-out side.

    With `tasks`, on these instead: each is its kind and options.
    """

    kind: Literal["evaluate"]
    name: Name
    model: Name
    tasks: tuple[dict[str, Any], ...] = ()

    @field_validator("tasks")
    @classmethod
    def _tasks_are_known(cls, tasks: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        titles = []
        for task in tasks:
            try:
                titles.append(task_from(task).title)
            except TunevalError as error:
                raise ValueError(f"{error.what} {error.mend}".strip()) from None
        twice = [title for title in titles if titles.count(title) > 1]
        if twice:
            raise ValueError(f"two tasks are called '{twice[0]}'; give one another name")
        return tasks

    @property
    def titles(self) -> list[str]:
        """What its tasks are called."""
        return [task_from(task).title for task in self.tasks]


class CompareStep(_Section):
    """Compare two evaluations item by item; differences are b less a.

    `task` names one of those that both evaluations asked; None where they asked one or none.
    `levels` says which cell of a matrix b is, by axis.
    """

    kind: Literal["compare"]
    name: Name = "comparison"
    a: Name
    b: Name
    metrics: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    task: str | None = None
    levels: dict[str, str] = {}


class ReportStep(_Section):
    """Write report.md and report.html."""

    kind: Literal["report"]
    name: Name = "report"


Step = Annotated[
    CheckStep
    | ShowStep
    | ScoreStep
    | SelectStep
    | TrainStep
    | EvaluateStep
    | CompareStep
    | ReportStep,
    Field(discriminator="kind"),
]


class Recipe(_Section):
    """An experiment: data, a base model, and steps in their order.

    A matrix is None once its steps stand in `steps`.
    """

    name: Name
    description: str = ""
    model: str
    template: str = "auto"
    seed: int = 17
    data: DataSection
    matrix: Matrix | None = None
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _steps_fit_together(self) -> Recipe:
        earlier: dict[str, str] = {}
        faults = []
        for place, step in enumerate(self.steps, start=1):
            faults += [
                f"step {place} ({step.name}): {fault}" for fault in _faults(step, earlier, self)
            ]
            earlier[step.name] = step.kind
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def reads(self) -> Kind:
        """The kind of items that its data holds: what its trainings learn from."""
        return next((STAGES.load(step.stage).reads for step in self.trainings), "conversation")

    @property
    def trainings(self) -> list[TrainStep]:
        """The train steps, in their order."""
        return [step for step in self.steps if isinstance(step, TrainStep)]

    def training_of(self, step: EvaluateStep) -> TrainStep | None:
        """The train step whose model `step` evaluates; None for the base model."""
        return next((t for t in self.trainings if step.model in (t.name, TRAINED)), None)


def _faults(step: Step, earlier: Mapping[str, str], recipe: Recipe) -> Iterator[str]:
    """What is wrong with a step, given the names of the earlier ones and their kinds."""
    named = {
        kind: [name for name, its_kind in earlier.items() if its_kind == kind]
        for kind in ("score", "select", "train", "evaluate")
    }
    if step.name in earlier:
        yield f"the name '{step.name}' is taken"
    talks = isinstance(step, ShowStep | ScoreStep | SelectStep) or (
        isinstance(step, EvaluateStep) and not step.tasks
    )
    if talks and recipe.reads == "text":
        yield f"{step.kind} steps need conversations; the stage pretrain reads texts"
    match step:
        case SelectStep(scores=None):
            if step.by is not None:
                yield f"ranks by {step.by} and names no score step"
        case SelectStep(scores=str(name)):
            yield from _unknown(name, "score", named)
        case TrainStep():
            if STAGES.load(step.stage).reads != recipe.reads:
                yield f"the stage {step.stage} reads other data than that of the first train step"
            if step.name in (BASE, TRAINED):
                yield f"'{step.name}' means another model to evaluate steps; choose another name"
            if step.examples is not None:
                yield from _unknown(step.examples, "select", named)
        case EvaluateStep():
            yield from _wrong_model(step.model, named["train"], len(recipe.trainings))
            if recipe.data.held_out == 0 and not step.tasks:
                yield "needs data.held_out above 0"
        case CompareStep():
            for name in (step.a, step.b):
                yield from _unknown(name, "evaluate", named)
            yield from _wrong_task(step, recipe)


def _wrong_model(model: str, trained: Sequence[str], n_trainings: int) -> Iterator[str]:
    """Why an evaluate step cannot have this model."""
    if model == BASE or model in trained:
        return
    if model == TRAINED and n_trainings > 1:
        yield f"'trained' could be any of several; name a train step: {_listed(model, trained)}"
    elif model == TRAINED:
        if not trained:
            yield "there is no train step before it"
    else:
        yield (
            f"'{model}' is neither base nor an earlier train step; there are: "
            f"{_listed(model, trained)}"
        )


def _wrong_task(step: CompareStep, recipe: Recipe) -> Iterator[str]:
    """Why two evaluations cannot be compared on this task."""
    evaluations = (other for other in recipe.steps if isinstance(other, EvaluateStep))
    asked = [other.titles for other in evaluations if other.name in (step.a, step.b)]
    if not any(asked):
        if step.task is not None:
            yield f"neither evaluation asks a task, and '{step.task}' is named"
        return
    common = [title for title in asked[0] if all(title in titles for titles in asked)]
    if step.task is None and (len(common) != 1 or any(len(titles) != 1 for titles in asked)):
        yield f"say which task is compared; both ask: {', '.join(common) or 'none in common'}"
    elif step.task is not None and step.task not in common:
        yield f"'{step.task}' is no task of both; there are: {_listed(step.task, common)}"


def _unknown(name: str, kind: str, named: Mapping[str, Sequence[str]]) -> Iterator[str]:
    if name not in named[kind]:
        yield f"'{name}' is no earlier {kind} step; there are: {_listed(name, named[kind])}"


def _listed(name: str, known: Sequence[str]) -> str:
    near = near_names(name, list(known))
    return (", ".join(known) or "none") + (f"; did you mean '{near[0]}'?" if near else "")
