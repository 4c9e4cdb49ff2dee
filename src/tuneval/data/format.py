"""What a format is, and which one a file is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tuneval.data.draft import Draft
from tuneval.data.finding import clip
from tuneval.data.formats import FORMATS
from tuneval.data.record import Record


@dataclass(frozen=True, slots=True)
class Format:
    """A row of FORMATS. A record that has all the keys of `marks` is likely in this format."""

    name: str
    marks: tuple[str, ...]
    draft: Callable[[Record], Draft]

    def fits(self, value: dict[str, Any]) -> bool:
        """Whether the record has the marks of this format."""
        return all(mark in value for mark in self.marks)


@dataclass(frozen=True, slots=True)
class Detection:
    """The format found, if one fits best, and why."""

    format: Format | None
    reason: str


def all_formats() -> list[Format]:
    """Every row of the catalog, loaded."""
    return [FORMATS.load(name) for name in FORMATS]


def detect(values: Sequence[dict[str, Any]]) -> Detection:
    """The format that most of the records fit. None when none fits, or two fit equally well."""
    counts = {row.name: sum(map(row.fits, values)) for row in all_formats()}
    best = max(counts.values(), default=0)
    if best == 0:
        return Detection(None, f"the records have the keys {_common_keys(values)}")
    names = [name for name, count in counts.items() if count == best]
    if len(names) > 1:
        return Detection(None, f"the records fit {' and '.join(names)} equally well")
    found: Format = FORMATS.load(names[0])
    keys = " and ".join(f"'{mark}'" for mark in found.marks)
    return Detection(found, f"{best} of {len(values)} records looked at have {keys}")


def _common_keys(values: Sequence[dict[str, Any]]) -> str:
    keys = Counter(key for value in values for key in value)
    return ", ".join(clip(key) for key, _ in keys.most_common(6)) or "(none)"
