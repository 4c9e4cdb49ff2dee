"""What a format is, and which one a file is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tuneval.data.draft import Draft
from tuneval.data.example import Item, Kind
from tuneval.data.finding import clip
from tuneval.data.formats import FORMATS
from tuneval.data.record import Record
from tuneval.errors import DataError


class CannotHoldError(DataError):
    """A format has no place for something in an item; the message says for what."""


@dataclass(frozen=True, slots=True)
class Format:
    """A row of FORMATS, in both directions.

    `shapes` are sets of keys: a record that has all the keys of one of them is likely in this
    format (with `last_resort`, only if it fits no other one). `draft` understands a record; `row`
    makes a record of an item, without its group and tags, and raises CannotHoldError where
    something would be lost.
    """

    name: str
    kind: Kind
    shapes: tuple[tuple[str, ...], ...]
    draft: Callable[[Record], Draft]
    row: Callable[[Item], dict[str, Any]]
    last_resort: bool = False

    def fit(self, value: dict[str, Any]) -> frozenset[str]:
        """The keys of all shapes that the record has whole; empty when there is none."""
        fitting = [shape for shape in self.shapes if all(key in value for key in shape)]
        return frozenset(key for shape in fitting for key in shape)

    @property
    def keys(self) -> str:
        """`'messages'`, or `'chosen' and 'rejected'`: the first of its shapes."""
        return " and ".join(f"'{key}'" for key in self.shapes[0])


@dataclass(frozen=True, slots=True)
class Detection:
    """The format found, if one fits best, and why."""

    format: Format | None
    reason: str


def all_formats() -> list[Format]:
    """Every row of the catalog, loaded."""
    return [FORMATS.load(name) for name in FORMATS]


def best_formats(value: dict[str, Any]) -> list[Format]:
    """The formats that a record fits, without those of which another one asks all and more.

    A record with `messages` and `label` fits `messages` and `kto`, and is in the latter.
    """
    fits = [(row, keys) for row in all_formats() if (keys := row.fit(value))]
    fits = [fit for fit in fits if not fit[0].last_resort] or fits
    return [row for row, keys in fits if not any(keys < others for _, others in fits)]


def detect(values: Sequence[dict[str, Any]]) -> Detection:
    """The format that most of the records fit. None when none fits, or two fit equally well."""
    counts = Counter(row.name for value in values for row in best_formats(value))
    if not counts:
        return Detection(None, f"the records have the keys {_common_keys(values)}")
    best = max(counts.values())
    names = [name for name, count in counts.items() if count == best]
    if len(names) > 1:
        return Detection(None, f"the records fit {' and '.join(names)} equally well")
    found: Format = FORMATS.load(names[0])
    keys = Counter(tuple(_in_order(value, found.fit(value))) for value in values)
    del keys[()]
    shown = " and ".join(f"'{key}'" for key in keys.most_common(1)[0][0])
    return Detection(found, f"{best} of {len(values)} records looked at have {shown}")


def _in_order(value: dict[str, Any], keys: frozenset[str]) -> list[str]:
    return [key for key in value if key in keys]


def _common_keys(values: Sequence[dict[str, Any]]) -> str:
    keys = Counter(key for value in values for key in value)
    return ", ".join(clip(key) for key, _ in keys.most_common(6)) or "(none)"
