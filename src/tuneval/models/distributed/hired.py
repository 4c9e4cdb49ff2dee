"""A part of the work, and a worker as the driver sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tuneval.models.distributed.worker import Place


@dataclass(slots=True, eq=False)
class Part:
    """Some of the work: the items that a worker is asked for, by the numbers they have here.

    `payload` makes what is sent to a worker, when it is its turn. A hand knows an item by its
    place in `items`; `known` are the places that need not be done, and grow with the results.
    """

    items: Sequence[int]
    payload: Callable[[], Any]
    known: set[int] = field(default_factory=set)
    losses: int = 0
    sent: Any = None

    def left(self) -> list[int]:
        """The items that are not known."""
        return [item for place, item in enumerate(self.items) if place not in self.known]


@dataclass(slots=True, eq=False)
class Hired:
    """A worker, and the answers (object references) that it owes: one always, so that its loss
    is noticed, and one more when it was given a part.
    """

    actor: Any
    owes: Any
    begins: Any = None
    at: Literal["starting", "opening", "open"] = "starting"
    place: Place | None = None
    part: Part | None = None

    def __str__(self) -> str:
        return f"on {self.place}" if self.place else "that was starting"
