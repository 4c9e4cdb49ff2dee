"""Read a recipe strictly: every fault at once, each with its path, line and the near name."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from tuneval import files
from tuneval.catalog import did_you_mean
from tuneval.errors import RecipeError, UsageError
from tuneval.recipes.recipe import Recipe

Place = tuple[str | int, ...]


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
    return _validated(content, _Lines(), overrides=overrides, where="")


class _Lines(dict[Place, int]):
    """Line of each place in the YAML document, counted from 1, and keys that stand twice."""

    def __init__(self) -> None:
        super().__init__()
        self.duplicates: list[tuple[Place, int]] = []


def _parse(raw: bytes, where: str) -> tuple[dict[str, Any], _Lines]:
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
    lines = _Lines()
    _note_lines(node, (), lines)
    return content, lines


def _note_lines(node: yaml.Node, place: Place, lines: _Lines) -> None:
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
    content: dict[str, Any], lines: _Lines, *, overrides: Sequence[str], where: str
) -> Recipe:
    content = _unshared(content)
    for override in overrides:
        _apply(content, override)
    faults = [f"{_dotted(place)} (line {line}): stands twice" for place, line in lines.duplicates]
    try:
        recipe = Recipe.model_validate(content)
    except ValidationError as error:
        faults += [_fault(problem, content, lines) for problem in error.errors()]
    if faults:
        faults = list(dict.fromkeys(faults))
        raise RecipeError(
            f"The recipe has {len(faults)} fault{'s' * (len(faults) > 1)}.",
            where=where,
            mend="mend the lines named above; docs/recipes.md lists every field",
            faults=faults,
        )
    return recipe


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


def _fault(problem: Mapping[str, Any], content: Any, lines: _Lines) -> str:
    """One line for a person: where, what, and the near name."""
    location = tuple(problem["loc"])
    place = _place(problem, content)
    line = next((lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in lines), None)
    where = _dotted(place) + (f" (line {line})" if line else "")
    match problem["type"]:
        case "extra_forbidden":
            return f"{where}: no such field; {_near(str(location[-1]), location[:-1])}"
        case "missing":
            return f"{where}: is missing"
        case "union_tag_invalid":
            context = problem["ctx"]
            expected = [tag.strip().strip("'") for tag in context["expected_tags"].split(",")]
            return f"{where}: no such kind; {did_you_mean(str(context['tag']), expected)}"
        case "union_tag_not_found":
            return f"{where}: needs a kind"
        case _:
            given = problem.get("input")
            shown = f" (given: {given!r})" if isinstance(given, str | int | float | bool) else ""
            return f"{where}: {str(problem['msg']).removeprefix('Value error, ')}{shown}"


def _place(problem: Mapping[str, Any], content: Any) -> Place:
    """Where in the document pydantic's location points: union tags are left out."""
    place: list[str | int] = []
    for part in problem["loc"]:
        is_index = isinstance(content, list) and isinstance(part, int) and part < len(content)
        if is_index or (isinstance(content, dict) and part in content):
            content = content[part]
            place.append(part)
    if problem["type"] == "missing":
        place.append(problem["loc"][-1])
    return tuple(place)


def _near(field: str, location: Sequence[str | int]) -> str:
    """Where an unknown field of a section may belong: one section deeper, or under a near name."""
    here = _sections_at(location)
    known = {name for section in here for name in section.model_fields}
    deeper = [
        f"{name}.{field}"
        for section in here
        for name, info in section.model_fields.items()
        if any(field in inner.model_fields for inner in _models_in(info.annotation))
    ]
    return f"did you mean '{deeper[0]}'?" if deeper else did_you_mean(field, sorted(known))


def _sections_at(location: Sequence[str | int]) -> list[type[BaseModel]]:
    """What a section at pydantic's `location` may be."""
    candidates: list[type[BaseModel]] = [Recipe]
    for part in location:
        if isinstance(part, int):
            continue
        tagged = [c for c in candidates if part in (_tag(c), c.__name__)]
        if tagged:
            candidates = tagged
            continue
        candidates = [
            inner
            for c in candidates
            if part in c.model_fields
            for inner in _models_in(c.model_fields[part].annotation)
        ]
    return candidates


def _tag(model: type[BaseModel]) -> str | None:
    field = model.model_fields.get("kind")
    options = typing.get_args(field.annotation) if field else ()
    return options[0] if options else None


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if isinstance(annotation, types.GenericAlias | types.UnionType) or typing.get_args(annotation):
        return [m for argument in typing.get_args(annotation) for m in _models_in(argument)]
    return []


def _dotted(place: Sequence[str | int]) -> str:
    return ".".join(map(str, place)) or "the recipe"
