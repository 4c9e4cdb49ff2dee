"""An example on its way through a selection."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from tuneval.data.cutting.facet import NONE
from tuneval.scoring.row import ScoreRow


@dataclass(frozen=True, slots=True)
class Undefined:
    """No value, and why: `unscored:ifd:truncated`, `undefined:log`, `no_field:topic`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An example's scores, and what the facets that are asked for say of its record, by name."""

    row: ScoreRow
    facets: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The example's content hash."""
        return self.row.id

    def measure(self, name: str) -> float | Undefined:
        """The value of a measure, or the reason that the measure itself gave for having none."""
        value = self.row.scores.get(name)
        if value is not None and math.isfinite(value):
            return float(value)
        unmeasured = "no_reason_given" if name in self.row.scores else "not_measured"
        return Undefined(f"unscored:{name}:{self.row.reasons.get(name, unmeasured)}")

    def task(self) -> str | Undefined:
        """The task."""
        return Undefined("no_task") if self.row.task is None else self.row.task

    def text(self, facet: str) -> str | Undefined:
        """What the facet says of the record."""
        value = self.facets.get(facet, NONE)
        return Undefined(f"no_field:{facet}") if value == NONE else value

    def number(self, facet: str) -> float | Undefined:
        """The same as a number."""
        value = self.text(facet)
        if isinstance(value, Undefined):
            return value
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        return number if math.isfinite(number) else Undefined(f"no_number:{facet}")
