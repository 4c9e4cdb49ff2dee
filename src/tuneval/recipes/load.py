"""Read a recipe strictly: every fault at once, each with its path, line and the near name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from tuneval import files
from tuneval.catalog import did_you_mean
from tuneval.errors import RecipeError, UsageError
from tuneval.recipes.faults import Lines, Place, dotted, fault_text
from tuneval.recipes.matrix import Matrix, expand
from tuneval.recipes.recipe import Recipe


def load_recipe(path: files.Location, *, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe in a YAML file, with `a.b=value` overrides applied.

    A step is addressed by its place or its name, all of a kind by it: `steps.train.seed=3`.
    Raises RecipeError with every fault; UsageError when there is no such file.
    """
    source = Path(path)
    if not source.is_file():
        near = (
            sorted(p.name for p in source.parent.glob("*.yaml")) if source.parent.is_dir() else []
        )
        raise UsageError(
            "There is no such recipe."
            if not source.is_dir()
            else "This is a folder, not a recipe.",
            where=str(path),
            mend=did_you_mean(source.name, near) if near else "give the path of a YAML file",
        )
    with files.open_bytes(source) as file:
        content, lines = _parse(file.read(), str(path))
    return _validated(content, lines, overrides=overrides, where=str(path))


def recipe_from(content: dict[str, Any], *, overrides: Sequence[str] = ()) -> Recipe:
    """A recipe that a program made, with overrides; as strict as one from a file."""
    return _validated(content, Lines(), overrides=overrides, where="")


def _parse(raw: bytes, where: str) -> tuple[dict[str, Any], Lines]:
    try:
        text = raw.decode("utf-8-sig")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise RecipeError(
            "The recipe is not UTF-8 text.",
            where=f"{where}, byte {error.start}",
            mend="save the file as UTF-8",
        ) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RecipeError(
            f"The recipe is not YAML: {error.problem}.",
            where=f"{where}:{line}",
            mend="check the indentation and quotes there",
        ) from error
    except yaml.YAMLError as error:
        raise RecipeError(f"The recipe is not YAML: {error}.", where=where) from error
    if not isinstance(content, dict) or node is None:
        raise RecipeError(
            "The recipe is empty." if content is None else "The recipe is no mapping of fields.",
            where=where,
            mend="start from a shipped recipe, recipes/quickstart.yaml",
        )
    lines = Lines()
    _note_lines(node, (), lines)
    return content, lines


def _note_lines(node: yaml.Node, place: Place, lines: Lines) -> None:
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*place, str(key.value))
            if inner in lines:
                lines.duplicates.append((inner, key.start_mark.line + 1))
            lines[inner] = key.start_mark.line + 1
            _note_lines(value, inner, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*place, index), lines)


def _validated(
    content: dict[str, Any], lines: Lines, *, overrides: Sequence[str], where: str
) -> Recipe:
    content = _unshared(content)
    for override in overrides:
        _apply(content, override)
    faults = [f"{dotted(place)} (line {line}): stands twice" for place, line in lines.duplicates]
    try:
        recipe = Recipe.model_validate(content)
    except ValidationError as error:
        faults += [fault_text(problem, content, lines) for problem in error.errors()]
    if faults:
        faults = list(dict.fromkeys(faults))
        raise RecipeError(
            f"The recipe has {len(faults)} fault{'s' * (len(faults) > 1)}.",
            where=where,
            mend="mend the lines named above; docs/recipes.md lists every field",
            faults=faults,
        )
    return recipe if recipe.matrix is None else _expanded(content, recipe.matrix, recipe, where)


def _expanded(content: dict[str, Any], matrix: Matrix, recipe: Recipe, where: str) -> Recipe:
    """The recipe with a step for every cell of its matrix. Raises RecipeError."""
    names: list[str] = []
    try:
        whole = expand(content, matrix, [step.name for step in recipe.steps])
        names = [step.get("name", step["kind"]) for step in whole["steps"]]
        return _validated(whole, Lines(), overrides=(), where=where)
    except RecipeError as error:
        faults = [
            re.sub(r"^steps\.(\d+)\.?", lambda found: f"{names[int(found[1])]}: ", fault)
            for fault in error.faults
        ]
        raise RecipeError(
            "The recipe's matrix does not fit its steps.",
            where=where,
            mend="docs/recipes.md shows one, and lists every field",
            faults=faults,
        ) from None


def _apply(content: dict[str, Any], override: str) -> None:
    """Set one value by its dotted path."""
    path, separator, text = override.partition("=")
    if not separator or not path:
        raise UsageError(f"'{override}' is no override.", mend="write --set a.b=value")
    _set(content, path.split("."), yaml.safe_load(text), path)


def _set(target: Any, parts: Sequence[str], value: Any, path: str) -> None:
    part, *rest = parts
    if isinstance(target, list):
        places: Sequence[str | int] = _places(target, part, path)
    elif isinstance(target, dict):
        places = [part]
        if rest:
            target.setdefault(part, {})
    else:
        raise UsageError(f"'{path}' cannot be set: its parent is a plain value.")
    for place in places:
        if rest:
            _set(target[place], rest, value, path)
        else:
            target[place] = _unshared(value)


def _places(items: list[Any], part: str, path: str) -> list[int]:
    """The step at a place or of a name, or every step of a kind."""
    if part.isdigit() and int(part) < len(items):
        return [int(part)]
    for key in ("name", "kind"):
        found = [i for i, s in enumerate(items) if isinstance(s, dict) and s.get(key) == part]
        if found:
            return found
    names = [str(i.get("name", i.get("kind"))) for i in items if isinstance(i, dict)]
    raise UsageError(f"There is no step '{part}' in '{path}'.", mend=did_you_mean(part, names))


def _unshared(content: Any) -> Any:
    """A copy in which nothing stands in two places, as what YAML's aliases name does."""
    if isinstance(content, dict):
        return {key: _unshared(value) for key, value in content.items()}
    return [_unshared(value) for value in content] if isinstance(content, list) else content
