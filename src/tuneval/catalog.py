"""Named variants: one visible table per kind, extended by entry points, imported on demand.

A row is `name -> "package.module:attribute"`. A plugin adds rows through the entry-point
group `tuneval.<kind>`; a plugin may not replace a built-in row.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from tuneval.errors import TunevalError, UsageError


def near_names(name: str, known: Mapping[str, object] | list[str]) -> list[str]:
    """Up to three known names that look like `name`, best first."""
    return difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)


def did_you_mean(name: str, known: Mapping[str, object] | list[str]) -> str:
    """`did you mean 'lora'?`, or the list of known names when none is near."""
    near = near_names(name, known)
    if near:
        return "did you mean " + " or ".join(f"'{n}'" for n in near) + "?"
    return "known: " + ", ".join(sorted(known))


class Catalog(Mapping[str, str]):
    """A table of named variants. `catalog.load(name)` imports the row's object."""

    def __init__(self, kind: str, rows: Mapping[str, str]) -> None:
        self.kind = kind
        self._built_in = dict(rows)
        self._loaded: dict[str, Any] = {}

    @cached_property
    def rows(self) -> dict[str, str]:
        """Built-in rows and those of installed plugins."""
        rows = dict(self._built_in)
        for point in entry_points(group=f"tuneval.{self.kind}"):
            if point.name in rows:
                raise TunevalError(
                    f"A plugin wants to replace the built-in {self.kind} '{point.name}'.",
                    where=f"entry point {point.value}",
                    mend="give the plugin's row another name",
                )
            rows[point.name] = point.value
        return rows

    def __getitem__(self, name: str) -> str:
        return self.rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def load(self, name: str) -> Any:
        """The object behind `name`. Raises UsageError with the near names when unknown."""
        if name in self._loaded:
            return self._loaded[name]
        if name not in self.rows:
            raise UsageError(
                f"There is no {self.kind} called '{name}'.", mend=did_you_mean(name, self.rows)
            )
        module, _, attribute = self.rows[name].partition(":")
        self._loaded[name] = getattr(import_module(module), attribute)
        return self._loaded[name]
