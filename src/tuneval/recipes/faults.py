"""What is wrong with a recipe, in a line for a person: where, what, and the near name."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from tuneval.catalog import did_you_mean
from tuneval.recipes.recipe import Recipe

Place = tuple[str | int, ...]


class Lines(dict[Place, int]):
    """Line of each place in the YAML document, counted from 1, and keys that stand twice."""

    def __init__(self) -> None:
        super().__init__()
        self.duplicates: list[tuple[Place, int]] = []


def fault_text(problem: Mapping[str, Any], content: Any, lines: Lines) -> str:
    """One line for a person: where, what, and the near name."""
    location = tuple(problem["loc"])
    place = _place(problem, content)
    line = next((lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in lines), None)
    where = dotted(place) + (f" (line {line})" if line else "")
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


def dotted(place: Sequence[str | int]) -> str:
    """A place in the document as `--set` writes it."""
    return ".".join(map(str, place)) or "the recipe"
