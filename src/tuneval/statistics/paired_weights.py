"""Two systems on the same items, by a figure that depends on how often each item is counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneval.statistics.bootstrap import (
    N_RESAMPLES,
    LeavesOut,
    WeightedStatistic,
    weighted_bootstrap,
    without_each,
)
from tuneval.statistics.paired import PairedComparison
from tuneval.statistics.power import smallest_detectable_mean_difference
from tuneval.statistics.sample import Clusters, Floats, cluster_numbers

_CELLS_AT_ONCE = 1_000_000


def paired_weights_comparison(
    statistic: WeightedStatistic,
    n: int,
    *,
    seed: int,
    clusters: Clusters | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
    unit: str = "",
) -> PairedComparison:
    """The figure of the second n items less that of the first n, with a BCa interval and a test.

    `statistic` knows 2n items: those of one system, then the same of the other, so that its
    weights say whose items make up the figure. The test is approximate randomisation (Yeh 2000),
    clusters swapped whole. Items are counted as higher or lower by the figure of their own row;
    one that has none counts as equal. Raises StatisticsError when the figure does not exist.
    """
    gap = weights_gap(statistic, n)
    difference = weighted_bootstrap(
        gap, n, seed=seed, clusters=clusters, n_resamples=n_resamples, level=level, unit=unit
    )
    members = cluster_numbers(n, clusters)
    of_each = gap.of_each() if isinstance(gap, LeavesOut) else _of_each_alone(gap, n)
    change = np.nan_to_num(of_each)
    higher, lower = int((change > 0).sum()), int((change < 0).sum())
    left_out = without_each(gap, members)
    error = _jackknife_error(left_out)
    return PairedComparison(
        difference=difference,
        test="approximate randomisation",
        p_value=_randomisation_p(statistic, members, abs(difference.value), seed, n_resamples),
        n_higher=higher,
        n_lower=lower,
        n_equal=n - higher - lower,
        detectable=smallest_detectable_mean_difference(error, len(left_out) - 1, level=level)
        if error
        else None,
    )


def weights_gap(statistic: WeightedStatistic, n: int, *, sign: float = 1.0) -> WeightedStatistic:
    """Of a figure of 2n items: that of the last n less that of the first n, by n weights."""
    if isinstance(statistic, LeavesOut):
        return _KnownGap(statistic, n, sign)
    return _Gap(statistic, n, sign)


@dataclass(frozen=True)
class _Gap:
    statistic: WeightedStatistic
    n: int
    sign: float

    def __call__(self, weights: Floats) -> Floats:
        nothing = np.zeros_like(weights)
        second = self.statistic(np.concatenate([nothing, weights], axis=1))
        first = self.statistic(np.concatenate([weights, nothing], axis=1))
        return np.asarray(self.sign * (second - first))


@dataclass(frozen=True)
class _KnownGap(_Gap):
    statistic: LeavesOut

    def without_each(self, weights: Floats, members: NDArray[np.intp]) -> Floats:
        nothing, both = np.zeros_like(weights), np.concatenate([members, members])
        second = self.statistic.without_each(np.concatenate([nothing, weights]), both)
        first = self.statistic.without_each(np.concatenate([weights, nothing]), both)
        return np.asarray(self.sign * (second - first))

    def of_each(self) -> Floats:
        found = self.statistic.of_each()
        return np.asarray(self.sign * (found[self.n :] - found[: self.n]))


def _of_each_alone(gap: Callable[[Floats], Floats], n: int) -> Floats:
    blocks = np.array_split(np.arange(n), -(-n * n // _CELLS_AT_ONCE))
    return np.concatenate(
        [gap((np.arange(n) == alone[:, None]).astype(np.float64)) for alone in blocks]
    )


def _jackknife_error(left_out: Floats) -> float | None:
    known = left_out[~np.isnan(left_out)]
    if len(known) < 2:
        return None
    return float(np.sqrt((len(known) - 1) * known.var()))


def _randomisation_p(
    statistic: WeightedStatistic,
    members: NDArray[np.intp],
    observed: float,
    seed: int,
    n_resamples: int,
) -> float:
    """How often swapping the systems at random, clusters whole, gives as large a difference."""
    random = np.random.default_rng(seed)
    observed *= 1 - 1e-12
    n_clusters = int(members.max()) + 1
    rows_at_once = max(1, _CELLS_AT_ONCE // len(members))
    extreme = tried = 0
    for start in range(0, n_resamples, rows_at_once):
        rows = min(rows_at_once, n_resamples - start)
        swapped = random.integers(0, 2, size=(rows, n_clusters))[:, members].astype(np.float64)
        kept = 1 - swapped
        first = statistic(np.concatenate([kept, swapped], axis=1))
        changes = np.abs(statistic(np.concatenate([swapped, kept], axis=1)) - first)
        known = ~np.isnan(changes)
        extreme += int((changes[known] >= observed).sum())
        tried += int(known.sum())
    return (extreme + 1) / (tried + 1)
