"""What a part of an expression means: its kind, the names in it, and its value for an example."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tuneval.scoring.selection.candidate import Candidate, Undefined

Kind = Literal["number", "text", "truth", "field", "faulty"]
Value = float | str | bool
Compute = Callable[[Candidate], Value | Undefined]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a column, counted from 1, and how to mend it."""

    column: int
    what: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """The kind of a (part of an) expression, how to compute it, and its names with their columns.

    `facet` is the name of a part that is a facet and nothing else, and so may be read either way.
    """

    kind: Kind
    value: Compute
    measures: Mapping[str, int] = field(default_factory=dict)
    facets: Mapping[str, int] = field(default_factory=dict)
    facet: str | None = None

    def read_as(self, kind: Kind) -> Meaning:
        """The same; a facet as a text or a number."""
        if self.facet is None or kind not in ("text", "number"):
            return self
        name = self.facet
        value: Compute = (
            (lambda candidate: candidate.number(name))
            if kind == "number"
            else (lambda candidate: candidate.text(name))
        )
        return Meaning(kind, value, self.measures, self.facets)


def no_value(candidate: Candidate) -> Undefined:
    """The value of what is faulty; nobody asks for it, since faults are raised."""
    return Undefined("undefined:faulty")


def joined(kind: Kind, parts: Sequence[Meaning], value: Compute) -> Meaning:
    """What is put together of parts, with all their names."""
    measures: dict[str, int] = {}
    facets: dict[str, int] = {}
    for part in reversed(parts):  # so that the first column of a name stays
        measures |= part.measures
        facets |= part.facets
    in_order = sorted(measures.items(), key=lambda row: row[1])
    return Meaning(kind, value, dict(in_order), facets)


def strict(parts: Sequence[Meaning], function: Callable[..., Value]) -> Compute:
    """A function that has a value where all its parts have one, and a finite one itself."""

    def compute(candidate: Candidate) -> Value | Undefined:
        values: list[Value] = []
        for part in parts:
            value = part.value(candidate)
            if isinstance(value, Undefined):
                return value
            values.append(value)
        try:
            result = function(*values)
        except ZeroDivisionError:
            return Undefined("undefined:division_by_zero")
        except (ValueError, OverflowError):
            return Undefined("undefined:log")
        if isinstance(result, float) and not math.isfinite(result):
            return Undefined("undefined:too_large")
        return result

    return compute


def kleene(parts: Sequence[Meaning], ends_at: bool) -> Compute:
    """`and`, ended by a false part, or `or`, ended by a true one, wherever that part stands."""

    def compute(candidate: Candidate) -> Value | Undefined:
        undefined: Undefined | None = None
        for part in parts:
            value = part.value(candidate)
            if value is ends_at:
                return ends_at
            if undefined is None and isinstance(value, Undefined):
                undefined = value
        return undefined if undefined is not None else not ends_at

    return compute
