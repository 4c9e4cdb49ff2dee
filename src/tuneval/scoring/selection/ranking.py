"""In which order examples are chosen: always the same one, however the set is sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from tuneval.data.cutting.drawing import key_hash
from tuneval.scoring.selection.candidate import Candidate

Order = Literal["descending", "ascending"]


def ranked(
    candidates: Iterable[Candidate], value: Callable[[Candidate], object], order: Order
) -> list[Candidate]:
    """By value, all of which must be numbers; a tie goes to the id that sorts first."""
    sign = -1.0 if order == "descending" else 1.0

    def key(candidate: Candidate) -> tuple[float, str]:
        number = value(candidate)
        assert isinstance(number, float), "examples without a value are out before they are ranked"
        return sign * number, candidate.id

    return sorted(candidates, key=key)


def shuffled(candidates: Iterable[Candidate], seed: int, name: str) -> list[Candidate]:
    """At random, but decided for each id by itself: others that come or go change no order.

    Draws of different names have nothing to do with one another.
    """
    return sorted(candidates, key=lambda each: (key_hash(f"{name} {each.id}", seed), each.id))


def by_id(candidates: Iterable[Candidate]) -> list[Candidate]:
    """By content hash, where nothing ranks."""
    return sorted(candidates, key=lambda each: each.id)
