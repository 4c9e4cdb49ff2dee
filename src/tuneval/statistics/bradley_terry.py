"""Strengths of competitors from who beat whom, with the uncertainty of every difference."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit, stdtr

from tuneval.errors import StatisticsError
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.sample import Clusters, Floats, cluster_sums, two_sided_t

Places = NDArray[np.intp]
_MOST_STEPS = 100


@dataclass(frozen=True, slots=True)
class Game:
    """A comparison of two; `score` is the first one's: 1 won, 0 lost, 0.5 a tie."""

    first: str
    second: str
    score: float


@dataclass(frozen=True, slots=True)
class BradleyTerry:
    """Strengths as natural logarithms of odds, summing to 0, and their covariance.

    The chance that i beats j is 1 / (1 + exp(strength j - strength i)). `names` stand strongest
    first. `n_independent` counts the clusters of games, or the games.
    """

    names: tuple[str, ...]
    strengths: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    n_games: int
    n_independent: int

    def strength(self, name: str, *, level: float = 0.95) -> Estimate:
        """A strength beside the mean of all, with its interval."""
        place = self.names.index(name)
        return self._estimate(self.strengths[place], self.covariance[place][place], level)

    def difference(self, first: str, second: str, *, level: float = 0.95) -> Estimate:
        """How much stronger `first` is than `second`: the logarithm of the odds that it wins."""
        i, j = self.names.index(first), self.names.index(second)
        variance = self.covariance[i][i] + self.covariance[j][j] - 2 * self.covariance[i][j]
        return self._estimate(self.strengths[i] - self.strengths[j], variance, level)

    def p_value(self, first: str, second: str) -> float:
        """Two-sided, that both are equally strong."""
        found = self.difference(first, second)
        i, j = self.names.index(first), self.names.index(second)
        variance = self.covariance[i][i] + self.covariance[j][j] - 2 * self.covariance[i][j]
        return 2 * float(stdtr(self.n_independent - 1, -abs(found.value) / math.sqrt(variance)))

    def ratings(self, *, scale: float = 400.0, middle: float = 1000.0) -> dict[str, float]:
        """Strengths as Elo-like ratings: `scale` points are odds of 10 to 1."""
        return {
            name: middle + scale * strength / math.log(10)
            for name, strength in zip(self.names, self.strengths, strict=True)
        }

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        strengths = {name: self.strength(name).as_dict() for name in self.names}
        return {"strengths": strengths, "ratings": self.ratings(), "n_games": self.n_games}

    def _estimate(self, value: float, variance: float, level: float) -> Estimate:
        reach = two_sided_t(level, self.n_independent - 1) * math.sqrt(max(0.0, variance))
        method = "Bradley-Terry, sandwich"
        n = self.n_games
        return Estimate(value, value - reach, value + reach, level, method, n, unit="")


def bradley_terry(games: Iterable[Game], *, clusters: Clusters | None = None) -> BradleyTerry:
    """The strengths under which the games are likeliest; a tie is half a win for each.

    Bradley and Terry (1952), by Newton's method. The covariance is the sandwich form, games of a
    cluster (one prompt, one judge) together. Raises StatisticsError where some never lose to, or
    never meet, the others: no finite strengths are likeliest then.
    """
    played = list(games)
    names = sorted({name for game in played for name in (game.first, game.second)})
    places = {name: place for place, name in enumerate(names)}
    first = np.array([places[game.first] for game in played], dtype=np.intp)
    second = np.array([places[game.second] for game in played], dtype=np.intp)
    score = np.array([game.score for game in played], dtype=np.float64)
    _check(names, first, second, score)
    strengths, information = _likeliest(first, second, score, len(names))
    residuals = score - expit(strengths[first] - strengths[second])
    gradients = np.zeros((len(played), len(names)))
    rows = np.arange(len(played))
    gradients[rows, first] += residuals
    gradients[rows, second] -= residuals
    sums = cluster_sums(gradients, clusters)
    if len(sums) < 2:
        raise StatisticsError("Games of one cluster alone do not show how sure their result is.")
    bread = np.linalg.pinv(information, hermitian=True)
    covariance = bread @ (sums.T @ sums) @ bread * len(sums) / (len(sums) - 1)
    order = np.argsort(-strengths, kind="stable")
    return BradleyTerry(
        names=tuple(names[place] for place in order),
        strengths=tuple(float(strengths[place]) for place in order),
        covariance=tuple(tuple(map(float, covariance[place][order])) for place in order),
        n_games=len(played),
        n_independent=len(sums),
    )


def _likeliest(first: Places, second: Places, score: Floats, n: int) -> tuple[Floats, Floats]:
    """The strengths, and the information matrix there."""
    played, won = np.zeros((n, n)), np.zeros((n, n))
    np.add.at(played, (first, second), 1.0)
    np.add.at(won, (first, second), score)
    np.add.at(won, (second, first), 1.0 - score)
    played += played.T
    strengths = np.zeros(n)
    for _ in range(_MOST_STEPS):
        chance = expit(strengths[:, None] - strengths)
        gradient = won.sum(axis=1) - (played * chance).sum(axis=1)
        weight = played * chance * (1 - chance)
        information = np.diag(weight.sum(axis=1)) - weight
        # Only differences count: the row of ones is no direction, and lstsq leaves it at 0.
        step = np.linalg.lstsq(information, gradient, rcond=None)[0]
        strengths = strengths + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-10:
            return strengths - strengths.mean(), information
    raise StatisticsError(
        f"The strengths did not settle in {_MOST_STEPS} steps.",
        mend="leave out competitors with hardly any game",
    )


def _check(names: list[str], first: Places, second: Places, score: Floats) -> None:
    """Raises unless finite strengths exist: wins lead from everyone to everyone. Ford (1957)."""
    if len(names) < 2:
        raise StatisticsError("Strengths need games between at least two competitors.")
    if (first == second).any():
        raise StatisticsError(f"'{names[first[first == second][0]]}' plays against itself.")
    if not ((score >= 0) & (score <= 1)).all():
        raise StatisticsError("A score is 1 for a win, 0 for a loss, and 0.5 for a tie.")
    beats = np.concatenate([first[score > 0], second[score < 1]])
    beaten = np.concatenate([second[score > 0], first[score < 1]])
    graph = csr_array((np.ones(len(beats)), (beats, beaten)), shape=(len(names), len(names)))
    n_groups, group = connected_components(graph, directed=True, connection="strong")
    if n_groups > 1:
        alone = [name for name, its in zip(names, group, strict=True) if its == group[0]]
        raise StatisticsError(
            f"The games do not compare everyone: there are {n_groups} groups without both a win "
            "and a loss between them.",
            where=f"one of them: {', '.join(alone[:5])}{', …' if len(alone) > 5 else ''}",
            mend="leave out who only won or only lost, or play more games",
        )
