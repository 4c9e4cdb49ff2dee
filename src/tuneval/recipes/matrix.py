"""A matrix of variants: the steps of a recipe written once, carried out for every combination.

Each axis has levels, each level changes fields of steps. A step stands once for every combination
of the axes that change it or what it builds on; what an axis does not reach is done once.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tuneval.catalog import did_you_mean
from tuneval.errors import RecipeError

Levels = Mapping[str, str]
"""Axis to level: a cell of the matrix, or a part of it."""
Patch = dict[str, Any]
AxisName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]*$")]

REFERENCES = {
    "select": ("scores",),
    "train": ("examples",),
    "evaluate": ("model",),
    "compare": ("a", "b"),
}
"""The fields in which a step of a kind names earlier ones."""


class Matrix(BaseModel):
    """Axes by name; each has levels by name, each level the fields that it sets in steps.

    `rank: {train.method.rank: [4, 16]}` is short for levels `4` and `16` that set one field.
    `baseline` is the cell that all others are compared with: a level for each axis (where none is
    named, its first), or the name of an evaluate step that no axis reaches. `metrics` are those
    of these comparisons; None: all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    axes: Annotated[dict[AxisName, dict[str, Patch]], Field(min_length=1)]
    baseline: str | dict[str, str] = {}
    metrics: Annotated[tuple[str, ...], Field(min_length=1)] | None = None

    @field_validator("axes", mode="before")
    @classmethod
    def _levels_by_name(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {str(axis): _levels(content) for axis, content in given.items()}

    @field_validator("baseline", mode="before")
    @classmethod
    def _levels_as_said(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {axis: _said(level) for axis, level in given.items()}

    @field_validator("axes")
    @classmethod
    def _levels_tell_apart(cls, axes: dict[str, dict[str, Patch]]) -> dict[str, dict[str, Patch]]:
        for axis, levels in axes.items():
            if len({_slug(level) for level in levels}) < max(2, len(levels)):
                raise ValueError(f"the axis '{axis}' needs two levels or more, of different names")
        return axes


def expand(content: Mapping[str, Any], matrix: Matrix, names: Sequence[str]) -> dict[str, Any]:
    """The content of a recipe without its matrix, its steps carried out for every cell.

    `names` are those of the steps. Every evaluate step that varies is compared with the baseline.
    Raises RecipeError.
    """
    work = _Expansion(matrix, dict(zip(names, content["steps"], strict=True)))
    work.find_axes()
    steps = [step for name in work.steps for step in work.cells(name)]
    end = next((n for n, step in enumerate(steps) if step["kind"] == "report"), len(steps))
    return {
        **{key: value for key, value in content.items() if key != "matrix"},
        "steps": [*steps[:end], *work.comparisons(), *steps[end:]],
    }


@dataclass
class _Expansion:
    """The steps as written, by name; `axes` are those that reach a step, in the matrix's order."""

    matrix: Matrix
    steps: Mapping[str, Mapping[str, Any]]
    axes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def find_axes(self) -> None:
        """Which axes change a step, or a step that it builds on."""
        direct: dict[str, set[str]] = {name: set() for name in self.steps}
        for axis, levels in self.matrix.axes.items():
            for path in {path for patch in levels.values() for path in patch}:
                for name in self._addressed(path):
                    direct[name].add(axis)
        for name in self.steps:
            reached = set(direct[name])
            for cell in self._combinations(direct[name]):
                for _, earlier in self._references(self._patched(name, cell)):
                    reached |= set(self.axes[earlier])
            self.axes[name] = tuple(axis for axis in self.matrix.axes if axis in reached)
        if not any(self.axes[name] for name in self._evaluations()):
            raise _misfit("no evaluate step varies: there is nothing to compare")

    def cells(self, name: str) -> Iterator[dict[str, Any]]:
        """A step for every combination of its axes; it names the earlier ones of the same cell."""
        for levels in self._combinations(self.axes[name]):
            step = self._patched(name, levels)
            for reference, earlier in self._references(step):
                step[reference] = self._cell(earlier, levels)
            yield {**step, "name": self._cell(name, levels)} if levels else step

    def comparisons(self) -> Iterator[dict[str, Any]]:
        """Every cell of every evaluate step beside the baseline."""
        for name in self._evaluations():
            baseline = self._baseline(name)
            for levels in self._combinations(self.axes[name]):
                cell = self._cell(name, levels)
                if levels and cell != baseline:
                    asked = self._patched(name, levels).get("tasks", ())
                    for place in range(max(1, len(asked))):
                        yield self._comparison(baseline, cell, levels, asked[place : place + 1])

    def _comparison(
        self, baseline: str, cell: str, levels: Levels, task: Sequence[Any]
    ) -> dict[str, Any]:
        """The compare step of a cell: on its one `task`, or on the held-out side."""
        step: dict[str, Any] = {"kind": "compare", "name": f"{cell}-and-baseline", "a": baseline}
        title = _title(task[0]) if task else None
        if title is not None:
            step |= {"name": f"{cell}-{_slug(title)}-and-baseline", "task": title}
        if self.matrix.metrics is not None:
            step["metrics"] = list(self.matrix.metrics)
        return {**step, "b": cell, "levels": levels}

    def _evaluations(self) -> list[str]:
        return [name for name, step in self.steps.items() if step["kind"] == "evaluate"]

    def _addressed(self, path: str) -> list[str]:
        """The steps of a path such as `train.method.rank`: the one so called, or all of a kind."""
        first, dot, _ = path.partition(".")
        kinds = {name: step["kind"] for name, step in self.steps.items()}
        found = [first] if first in kinds else [n for n, kind in kinds.items() if kind == first]
        if not found or not dot:
            near = did_you_mean(first, list(kinds))
            raise _misfit(f"'{path}' is no field of a step, as train.method.rank is; {near}")
        return found

    def _baseline(self, name: str) -> str:
        """The evaluation that the cells of the evaluate step `name` are compared with."""
        baseline, axes = self.matrix.baseline, self.matrix.axes
        if isinstance(baseline, str):
            fixed = [name for name in self._evaluations() if not self.axes[name]]
            if baseline not in fixed:
                near = did_you_mean(baseline, fixed)
                raise _misfit(f"baseline: '{baseline}' is no step that no axis reaches; {near}")
            return baseline
        for axis, level in baseline.items():
            if axis not in axes:
                raise _misfit(f"baseline: no axis '{axis}'; {did_you_mean(axis, list(axes))}")
            if level not in axes[axis]:
                near = did_you_mean(level, list(axes[axis]))
                raise _misfit(f"baseline: {axis} has no level '{level}'; {near}")
        first = {axis: next(iter(levels)) for axis, levels in axes.items()}
        return self._cell(name, first | baseline)

    def _combinations(self, axes: Collection[str]) -> Iterator[dict[str, str]]:
        """Every combination of the levels of some axes, in the matrix's order."""
        chosen = [axis for axis in self.matrix.axes if axis in axes]
        for levels in product(*(self.matrix.axes[axis] for axis in chosen)):
            yield dict(zip(chosen, levels, strict=True))

    def _patched(self, name: str, levels: Levels) -> dict[str, Any]:
        """A copy of the step with the fields that the levels set in it."""
        step: dict[str, Any] = copy.deepcopy(dict(self.steps[name]))
        for axis, level in levels.items():
            for path, value in self.matrix.axes[axis][level].items():
                if name in self._addressed(path):
                    _set(step, path, value)
        return step

    def _references(self, step: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The fields of a step that name earlier ones, and those; `trained` is the train step."""
        for reference in REFERENCES.get(step["kind"], ()):
            named = step.get(reference)
            if reference == "model" and named == "trained":
                named = next((n for n in self.axes if self.steps[n]["kind"] == "train"), named)
            if named in self.axes:
                yield reference, named

    def _cell(self, name: str, levels: Levels) -> str:
        """`tuned-rank_4-data_all`; the name itself of a step that no axis reaches."""
        return "-".join([name, *(f"{axis}_{_slug(levels[axis])}" for axis in self.axes[name])])


def _levels(content: Any) -> Any:
    """Levels by name, written out where one field's values were listed."""
    if not isinstance(content, Mapping):
        return content
    if len(content) == 1:
        ((path, values),) = content.items()
        if isinstance(values, list):
            return {_said(value): {path: value} for value in values}
    return {_said(level): {} if patch is None else patch for level, patch in content.items()}


def _set(step: dict[str, Any], path: str, value: Any) -> None:
    """Set the field of a path that begins with the step."""
    target = step
    *above, last = path.split(".")[1:]
    for part in above:
        target = target.setdefault(part, {})
        if not isinstance(target, dict):
            raise _misfit(f"'{path}' cannot be set: {part} is a plain value")
    target[last] = copy.deepcopy(value)


def _title(task: Any) -> str | None:
    """What a task is called; None where it is none, which the steps' own check tells better."""
    given = task if isinstance(task, Mapping) else {}
    title = given.get("name") or given.get("kind")
    return None if title is None else str(title)


def _said(value: Any) -> str:
    """A level's name: a number as it is written, a truth as YAML has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _slug(level: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", level).strip("_")


def _misfit(fault: str) -> RecipeError:
    return RecipeError("The recipe's matrix does not fit its steps.", faults=[fault])
