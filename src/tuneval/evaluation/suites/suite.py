"""A suite: several models on several tasks under the same settings, in one file or one command."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, field_validator, model_validator

from tuneval import files
from tuneval.config import config_of
from tuneval.errors import TunevalError, UsageError
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.stability.repeats import RepeatSource
from tuneval.evaluation.task import Task
from tuneval.evaluation.tasks import task_from
from tuneval.evaluation.tasks.spelling import task_options
from tuneval.models.endpoint import is_endpoint, parse_endpoint
from tuneval.models.reference import parse_reference

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]*$")]
REFUSAL = "The suite cannot be evaluated as asked"


class SuiteModel(BaseModel):
    """A model of a suite; `label` is its folder's name and what reports call it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Label
    model: str
    adapter: str | None = None
    template: str = "auto"


class Suite(BaseModel):
    """Every model answers every task. `models` may be a table of references by label.

    The first model is what the others are compared with. A task is its kind and options. With
    `repeats`, everything is asked so often for each source in `vary`, as `stability` reads it. With
    `until_decided`, models after the first are asked a task only until its main metric tells them
    apart from the first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Label = "suite"
    models: Annotated[tuple[SuiteModel, ...], Field(min_length=1)]
    tasks: Annotated[tuple[SerializeAsAny[Task], ...], Field(min_length=1)]
    settings: EvaluateConfig = EvaluateConfig()
    repeats: Annotated[int, Field(ge=2)] | None = None
    vary: tuple[RepeatSource, ...] = ()
    until_decided: bool = False

    @field_validator("models", mode="before")
    @classmethod
    def _models_by_label(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            return [{"label": label, **_named(model)} for label, model in given.items()]
        if isinstance(given, Sequence) and not isinstance(given, str):
            return labelled([_named(model) for model in given])
        return given

    @field_validator("tasks", mode="before")
    @classmethod
    def _tasks_of_the_catalog(cls, given: Any) -> Any:
        if not isinstance(given, Sequence) or isinstance(given, str):
            return given
        return [_task(task) for task in given]

    @model_validator(mode="after")
    def _only_repeats_vary(self) -> Self:
        if self.vary and self.repeats is None:
            raise ValueError("vary: say how often, with repeats")
        return self

    @model_validator(mode="after")
    def _names_tell_apart(self) -> Self:
        for what, names in (
            ("models have the label", [model.label for model in self.models]),
            ("tasks are called", [task.title for task in self.tasks]),
        ):
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                raise ValueError(f"two {what} '{twice[0]}': give one another name")
        for task in self.tasks:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", task.title):
                raise ValueError(f"the task's name '{task.title}' cannot name a folder")
        return self


def load_suite(path: Path) -> Suite:
    """The suite of a YAML file. Raises UsageError that names every fault."""
    with files.open_text(path) as file:
        try:
            content = yaml.safe_load(file)
        except yaml.YAMLError as error:
            raise UsageError(f"This is not YAML: {error}", where=str(path)) from error
    if not isinstance(content, dict):
        raise UsageError(
            "A suite is a table with models and tasks.",
            where=str(path),
            mend="docs/evaluation.md shows one",
        )
    return suite_of(content)


def suite_of(content: Mapping[str, Any]) -> Suite:
    """The suite that a table describes. Raises UsageError that names every fault."""
    return config_of(Suite, content, refusal=REFUSAL)


def suite_of_words(
    *,
    models: Sequence[str],
    tasks: Sequence[str],
    adapter: str | None,
    template: str,
    limit: int | None,
    settings: Mapping[str, Any],
    **fields: Any,
) -> Suite:
    """The suite that a command line spells: `[LABEL=]MODEL`, `KIND[=PATH][,option=value]…`.

    `limit` is for the tasks that do not say their own. Raises UsageError that names every fault.
    """
    if not models:
        raise UsageError("There is no model to ask.", mend="give --model, once or several times")
    asked = [task_options(task) for task in tasks]
    if limit is not None:
        asked = [{"limit": limit} | task for task in asked]
    common = {"adapter": adapter, "template": template}
    return suite_of(
        {
            "models": [_spelt(model) | common for model in models],
            "tasks": asked,
            "settings": settings,
            **fields,
        }
    )


def _spelt(text: str) -> dict[str, str]:
    """`LABEL=MODEL`, or a model alone; a path that holds a `=` is a model."""
    label, equals, model = text.partition("=")
    if equals and not Path(text).exists() and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]*", label):
        return {"label": label, "model": model}
    return {"model": text}


def labelled(models: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The models, those without a label called by what they are: a folder's name, a run's id."""
    rows = []
    taken: Counter[str] = Counter()
    for row in models:
        label = row.get("label") or _short(str(row.get("model", "")))
        taken[label] += 1
        if "label" not in row and taken[label] > 1:
            label = f"{label}-{taken[label]}"
        rows.append({**row, "label": label})
    return rows


def _named(model: Any) -> dict[str, Any]:
    return {"model": model} if isinstance(model, str) else dict(model)


def _task(given: Any) -> Any:
    """A task of its kind and options; a fault becomes one of the suite's."""
    if isinstance(given, Task) or not isinstance(given, Mapping):
        return given
    try:
        return task_from(given)
    except TunevalError as error:
        raise ValueError(f"{error.what} {error.mend}".strip()) from None


def _short(model: str) -> str:
    """The end of a reference, as a folder's name."""
    if model.startswith("run:"):
        model = Path(parse_reference(model).location).name
    if is_endpoint(model):
        model = parse_endpoint(model).model
    end = re.split(r"[:/\\]", model.rstrip("/\\"))[-1].removesuffix(".gguf")
    return re.sub(r"[^A-Za-z0-9._@-]+", "-", end).strip("-._@") or "model"
