"""Who stands where, without pretending to an order that the data do not show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Standing:
    """A competitor's value, the ranks that it may have, and the tied sets that it belongs to.

    `best_rank` is one more than the number who are shown to be better; `worst_rank` counts all
    but those who are shown to be worse. `sets` are letters: two that share one are not told apart.
    """

    name: str
    value: float
    best_rank: int
    worst_rank: int
    sets: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def standings(
    values: Mapping[str, float],
    different: Sequence[tuple[str, str]],
    *,
    higher_is_better: bool = True,
) -> tuple[Standing, ...]:
    """Competitors, best value first. `different` holds (better, worse): the pairs told apart.

    Where the pairs were adjusted together (Holm), all ranges of ranks hold together too:
    Mogstad, Romano, Shaikh and Wilhelm (2024).
    """
    order = sorted(values, key=values.__getitem__, reverse=higher_is_better)
    worse_than = {name: {low for high, low in different if high == name} for name in order}
    better_than = {name: {high for high, low in different if low == name} for name in order}
    alike = {name: set(order) - worse_than[name] - better_than[name] - {name} for name in order}
    sets = sorted(
        (sorted(clique, key=order.index) for clique in _cliques(set(), set(order), set(), alike)),
        key=lambda clique: [order.index(name) for name in clique],
    )
    return tuple(
        Standing(
            name=name,
            value=values[name],
            best_rank=1 + len(better_than[name]),
            worst_rank=len(order) - len(worse_than[name]),
            sets="".join(_letter(n) for n, members in enumerate(sets) if name in members),
        )
        for name in order
    )


def _cliques(
    chosen: set[str], open_: set[str], closed: set[str], alike: Mapping[str, set[str]]
) -> list[set[str]]:
    """The largest sets in which nobody is told apart. Bron and Kerbosch (1973), with a pivot."""
    if not open_ and not closed:
        return [chosen]
    pivot = max(sorted(open_ | closed), key=lambda name: len(alike[name] & open_))
    found = []
    for name in sorted(open_ - alike[pivot]):
        found += _cliques(chosen | {name}, open_ & alike[name], closed & alike[name], alike)
        open_ = open_ - {name}
        closed = closed | {name}
    return found


def _letter(number: int) -> str:
    """a … z, then a2 … z2."""
    turn, place = divmod(number, 26)
    return chr(ord("a") + place) + (str(turn + 1) if turn else "")
