"""A record under the names that our formats use, and the way back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tuneval.data.registry.names import Names


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the entry does not allow at a place of the record, under the file's own names."""

    rule: str
    path: str
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """`value` has our names. `unused` are the file's keys that the entry does not list."""

    value: Mapping[str, Any]
    names: Names
    doubts: tuple[Doubt, ...] = ()
    unused: tuple[str, ...] = ()


def ours(value: Mapping[str, Any]) -> dict[str, Any]:
    """The record's group and tags where they are those of tuneval.

    LLaMA-Factory knows neither, and other sets have keys of these names that mean other things.
    """
    kept: dict[str, Any] = {}
    if isinstance(group := value.get("group"), str | int) and not isinstance(group, bool):
        kept["group"] = group
    if isinstance(tags := value.get("tags"), dict):
        kept["tags"] = tags
    return kept


def unused(value: Mapping[str, Any], read: Iterable[str | None]) -> tuple[str, ...]:
    """The record's keys that are not among those `read`."""
    known = {*read, *ours(value)}
    return tuple(key for key in value if key not in known)
