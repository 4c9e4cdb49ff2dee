"""Training side and held-out side, by a hash: no example ever changes sides when others come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from tuneval.data.cutting.drawing import key_hash, position_of
from tuneval.data.example import Item
from tuneval.errors import UsageError

By = Literal["group", "id"]


ItemT = TypeVar("ItemT", bound=Item)


@dataclass(frozen=True, slots=True)
class Split(Generic[ItemT]):
    """The two sides, each in the order of the file."""

    train: tuple[ItemT, ...]
    held_out: tuple[ItemT, ...]

    @property
    def on_both_sides(self) -> tuple[str, ...]:
        """Ids of items that stand on both sides: exact duplicates of different groups."""
        return tuple(sorted({e.id for e in self.train} & {e.id for e in self.held_out}))


def split(
    examples: Iterable[ItemT], held_out: float = 0.25, by: By = "group", *, seed: int = 17
) -> Split[ItemT]:
    """Part the examples. About that share of the groups is held out, never exactly.

    An example's side depends on the seed and its own group alone (on its id when it has none, or
    with `by="id"`), so a group is never torn and adding records moves nothing.
    """
    if not 0 <= held_out < 1:
        raise UsageError(
            f"A held-out share of {held_out} makes no sense.", mend="at least 0 and below 1"
        )
    refuse_unknown_by(by)
    sides: tuple[list[ItemT], list[ItemT]] = ([], [])
    for example in examples:
        sides[position(split_key(example, by), seed) < held_out].append(example)
    return Split(tuple(sides[0]), tuple(sides[1]))


def split_key(item: Item, by: By) -> str:
    """What keeps items together: equal keys are always on one side."""
    if by == "group" and item.group is not None:
        return f"group {item.group}"
    return f"id {item.id}"


def position(key: str, seed: int) -> float:
    """A key's place in [0, 1), evenly spread; below the held-out share it is held out."""
    return position_of(key_hash(key, seed))


def refuse_unknown_by(by: str) -> None:
    """Raise UsageError unless `by` is `group` or `id`."""
    if by not in ("group", "id"):
        raise UsageError(f"A split is by group or by id, not by {by!r}.", mend="by='group'")
