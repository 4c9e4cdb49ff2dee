"""One order of several competitors from their orders by several criteria.

By mean rank, which is Borda's count (1781) turned round: each criterion gives a competitor a
point for everyone it beats, half a point for a tie. Such an order depends on who takes part:
leaving out a competitor may turn two others round, however little it has to do with them (Arrow
1951). So every order comes with those reversals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import rankdata

from tuneval.errors import StatisticsError


@dataclass(frozen=True, slots=True)
class AggregateRank:
    """A competitor's ranks by criterion (1 the best, ties shared), their mean, and Borda points.

    `best` and `worst` are the mean ranks' places that it takes as any one competitor is left out,
    itself excepted.
    """

    name: str
    ranks: Mapping[str, float]
    mean_rank: float
    borda: float
    best: int
    worst: int


@dataclass(frozen=True, slots=True)
class Reversal:
    """Two that change their order when a third is left out: `ahead` is ahead with it."""

    without: str
    ahead: str
    behind: str


@dataclass(frozen=True, slots=True)
class RankAggregation:
    """The order, best first, and all that turns it round."""

    rows: tuple[AggregateRank, ...]
    reversals: tuple[Reversal, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def aggregate_ranks(
    values: Mapping[str, Mapping[str, float]], higher_is_better: Mapping[str, bool]
) -> RankAggregation:
    """The order of competitors by `values[competitor][criterion]`.

    Raises StatisticsError for fewer than two competitors, for no criterion, and where a
    competitor lacks one.
    """
    names, criteria = list(values), list(higher_is_better)
    lacking = [(name, c) for name in names for c in criteria if c not in values[name]]
    if len(names) < 2 or not criteria or lacking:
        raise StatisticsError(
            f"'{lacking[0][0]}' has no value for '{lacking[0][1]}'."
            if lacking
            else "An order needs at least two competitors and a criterion.",
            mend="leave out what not all of them have",
        )
    ranks = _ranks(values, names, higher_is_better)
    means = {name: float(np.mean(list(ranks[name].values()))) for name in names}
    places = {name: [_place(name, means)] for name in names}
    reversals = []
    for without in names if len(names) > 2 else ():
        left = [name for name in names if name != without]
        reduced = {
            name: float(np.mean(list(found.values())))
            for name, found in _ranks(values, left, higher_is_better).items()
        }
        for name in left:
            places[name].append(_place(name, reduced))
        for first, second in combinations(sorted(left, key=means.__getitem__), 2):
            if _is_ahead(first, second, means) and _is_ahead(second, first, reduced):
                reversals.append(Reversal(without, first, second))
    rows = [
        AggregateRank(
            name=name,
            ranks=ranks[name],
            mean_rank=means[name],
            borda=sum(len(names) - rank for rank in ranks[name].values()),
            best=min(places[name]),
            worst=max(places[name]),
        )
        for name in sorted(names, key=means.__getitem__)
    ]
    return RankAggregation(tuple(rows), tuple(reversals))


def _ranks(
    values: Mapping[str, Mapping[str, float]],
    names: Sequence[str],
    higher_is_better: Mapping[str, bool],
) -> dict[str, dict[str, float]]:
    """The rank of each name by each criterion, among `names` alone."""
    found: dict[str, dict[str, float]] = {name: {} for name in names}
    for criterion, up in higher_is_better.items():
        column = np.array([values[name][criterion] for name in names])
        for name, rank in zip(names, rankdata(-column if up else column), strict=True):
            found[name][criterion] = float(rank)
    return found


def _place(name: str, means: Mapping[str, float]) -> int:
    """1 for the best mean rank; those that are alike share the better place."""
    return 1 + sum(_is_ahead(other, name, means) for other in means)


def _is_ahead(first: str, second: str, means: Mapping[str, float]) -> bool:
    # Means of the same ranks in another order may differ by rounding.
    return means[first] < means[second] - 1e-9
