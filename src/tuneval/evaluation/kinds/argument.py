"""A metric that wants to know of what: a field, a pattern, a rank."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tuneval.evaluation.metric import About, Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class OfArgument:
    """`make(argument)` gives the metric; `argument` says what is asked for, as in `name:field`.

    What `make` gives is a dataclass with a field `about`, whose name holds the argument. `default`
    is the argument when none is given; None: one must be. `example` is an argument that `make`
    takes, for the catalog's page and its tests; None where any word will do.
    """

    about: About
    argument: str
    make: Callable[[str], Metric]
    default: str | None = None
    example: str | None = None
