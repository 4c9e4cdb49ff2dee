"""Mean win rates: how often a system beats another one, over scenarios. HELM (Liang et al. 2022).

A win rate is a property of a list of systems, not of a system: it changes with who else is on the
list, and so may the order of two. What it does without each system is told beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tuneval.errors import StatisticsError
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.sample import Clusters, Floats, check_level, cluster_sums

N_RESAMPLES = 2_000
METHOD = "percentile bootstrap of items"


@dataclass(frozen=True, slots=True)
class Scenario:
    """The grades (n_systems, n_items) of all systems on one scenario's items.

    A figure that no item has a share in is one column: it then has no spread.
    """

    grades: Floats
    higher_is_better: bool = True
    clusters: Clusters | None = None


@dataclass(frozen=True, slots=True)
class Reversal:
    """`first` has the higher win rate of two systems, and the lower one without `left_out`."""

    first: int
    second: int
    left_out: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def mean_win_rates(
    scenarios: Sequence[Scenario],
    *,
    seed: int,
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
) -> list[Estimate]:
    """Of each system, the share of the others that it beats, averaged over the scenarios.

    A tie counts half. The items of each scenario are drawn anew, clusters whole and the same for
    all systems; the scenarios are not: the interval says nothing about other scenarios. `n`
    counts scenarios. Raises StatisticsError for fewer than two systems or none of the scenarios.
    """
    check_level(level)
    n_systems = _count_systems(scenarios)
    random = np.random.default_rng(seed)
    value = np.mean([_win_rates(_means(s)) for s in scenarios], axis=0)
    drawn = np.mean([_win_rates(_resampled(s, random, n_resamples)) for s in scenarios], axis=0)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    n = len(scenarios)
    return [
        Estimate(float(value[m]), float(low[m]), float(high[m]), level, METHOD, n)
        if high[m] > low[m]
        else Estimate(float(value[m]), None, None, level, "none: no spread", n)
        for m in range(n_systems)
    ]


def reversals(scenarios: Sequence[Scenario]) -> list[Reversal]:
    """Pairs whose order by mean win rate turns round when another system leaves the list."""
    n_systems = _count_systems(scenarios)
    means = [_means(s) for s in scenarios]
    whole = np.mean([_win_rates(row) for row in means], axis=0)
    found = []
    for left_out in range(n_systems):
        rest = [m for m in range(n_systems) if m != left_out]
        if len(rest) < 2:
            continue
        rates = np.mean([_win_rates(row[rest]) for row in means], axis=0)
        without = dict(zip(rest, rates, strict=True))
        found += [
            Reversal(first, second, left_out)
            for first in rest
            for second in rest
            if whole[first] > whole[second] and without[first] < without[second]
        ]
    return found


def _win_rates(means: Floats) -> Floats:
    """Of scores (..., n_systems), the share of the others that each is above; a tie is half."""
    above = means[..., :, None] > means[..., None, :]
    level = means[..., :, None] == means[..., None, :]
    others = means.shape[-1] - 1
    rates: Floats = (above.sum(axis=-1) + (level.sum(axis=-1) - 1) / 2) / others
    return rates


def _means(scenario: Scenario) -> Floats:
    means: Floats = np.round(scenario.grades.mean(axis=1), 12)
    return means if scenario.higher_is_better else -means


def _resampled(scenario: Scenario, random: np.random.Generator, n_resamples: int) -> Floats:
    """The means of resamples, (n_resamples, n_systems), turned so that higher is better."""
    ones = np.ones((scenario.grades.shape[1], 1))
    sums = cluster_sums(np.concatenate([scenario.grades.T, ones], axis=1), scenario.clusters)
    weights = random.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=n_resamples)
    totals = weights @ sums
    means: Floats = totals[:, :-1] / totals[:, -1:]
    # Sums in another order differ by rounding; equal systems must stay equal.
    means = np.round(means, 12)
    return means if scenario.higher_is_better else -means


def _count_systems(scenarios: Sequence[Scenario]) -> int:
    counts = {len(scenario.grades) for scenario in scenarios}
    if len(counts) != 1 or min(counts) < 2:
        raise StatisticsError(
            "A win rate needs two systems or more, each with grades on every scenario.",
            where=f"systems by scenario: {sorted(counts)}",
        )
    return counts.pop()
