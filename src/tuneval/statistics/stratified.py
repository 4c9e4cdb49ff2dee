"""The mean of a set that was sampled stratum by stratum: a macro average, or a weighted whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from tuneval.errors import StatisticsError
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.proportion import wilson_limits
from tuneval.statistics.sample import (
    Clusters,
    Floats,
    cluster_numbers,
    cluster_sums,
    finite_numbers,
    two_sided_t,
)

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class WeightedMean:
    """A weighted mean of strata's means with the variance of its error.

    `shares` are the weights, made to sum to 1. `freedom`: degrees of freedom of the variance, None
    where there is none. `is_whole`: nothing was left out of any stratum, so there is no error.
    """

    value: float
    variance: float
    freedom: float | None
    shares: Mapping[Any, float]
    n: int
    n_clusters: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class _Stratum:
    """`squares`: the residuals of its clusters, squared and summed, for n - 1 in the divisor."""

    mean: float
    n: int
    n_clusters: int
    squares: float
    asked: float


def stratified_mean(
    values: ArrayLike,
    strata: Sequence[Key],
    *,
    weights: Mapping[Key, float],
    sizes: Mapping[Key, int] | None = None,
    clusters: Clusters | None = None,
    is_share: bool = False,
    level: float = 0.95,
    unit: str = "",
) -> Estimate:
    """The weighted mean of the strata's means, with its interval. Cochran (1977), chapter 5.

    `weights` need not sum to 1: equal ones give a macro average, the strata's sizes in the
    population the mean that the whole set would have. The strata are fixed, the items in them
    drawn. With `sizes`, the interval is for the mean over just these finite strata (a variance
    shrinks by 1 - n/N, and nothing is left of it where all items were asked); without, for items
    like these in general. A stratum of one item or cluster gets the pooled variance of the
    others. Student's t with Welch's degrees of freedom (1947), which a small stratum of great
    weight leaves few of; for a share (values in 0..1), Wilson's limits with the effective number
    of items, as Franco et al. (2019) find best.
    """
    mean = weighted_mean(values, strata, weights=weights, sizes=sizes, clusters=clusters)
    value, variance, freedom = mean.value, mean.variance, mean.freedom
    n, counted = mean.n, None if clusters is None else mean.n_clusters
    method = "stratified " + ("Wilson" if is_share else "Student t")
    method += "" if sizes is None else ", of the whole set"
    if mean.is_whole:
        return Estimate(value, value, value, level, "all items asked", n, counted, unit)
    if freedom is None or (variance == 0 and not is_share):
        why = "none: one item" if mean.n_clusters < 2 else "none: no spread"
        return Estimate(value, None, None, level, why, n, counted, unit)
    if not is_share:
        reach = two_sided_t(level, freedom) * variance**0.5
        return Estimate(value, value - reach, value + reach, level, method, n, counted, unit)
    effective = value * (1 - value) / variance if variance > 0 else mean.n_clusters
    low, high = wilson_limits(value, effective, two_sided_t(level, freedom))
    return Estimate(value, low, high, level, method, n, counted, unit)


def weighted_mean(
    values: ArrayLike,
    strata: Sequence[Key],
    *,
    weights: Mapping[Key, float],
    sizes: Mapping[Key, int] | None = None,
    clusters: Clusters | None = None,
) -> WeightedMean:
    """What `stratified_mean` makes an interval of."""
    numbers = finite_numbers(values)
    if len(strata) != len(numbers):
        raise StatisticsError(f"There are {len(numbers)} values but {len(strata)} strata keys.")
    found = {
        name: _stratum(numbers, strata, name, clusters, sizes) for name in dict.fromkeys(strata)
    }
    total = sum(weights[name] for name in found)
    shares = {name: weights[name] / total for name in found}
    variance, freedom = _variance(found, shares)
    return WeightedMean(
        value=float(sum(shares[name] * stratum.mean for name, stratum in found.items())),
        variance=variance,
        freedom=freedom,
        shares=shares,
        n=len(numbers),
        n_clusters=sum(stratum.n_clusters for stratum in found.values()),
        is_whole=all(stratum.asked == 1 for stratum in found.values()),
    )


def item_weights(strata: Sequence[Key], weights: Mapping[Key, float]) -> Floats:
    """The weight of each item, (n,), with which the plain mean is that of the strata; 1 on average.

    Each stratum's weight is shared by its items.
    """
    counts = Counter(strata)
    total = sum(weights[name] for name in counts)
    each = {name: weights[name] / total * len(strata) / n for name, n in counts.items()}
    return np.array([each[name] for name in strata])


def as_plain_mean(values: ArrayLike, strata: Sequence[Key], weights: Mapping[Key, float]) -> Floats:
    """Values (n,) whose plain mean is the weighted mean, with its standard error.

    For what knows no strata: each is the mean, and so much of how its item differs from its own
    stratum as the item weighs. A stratum of one item shows no spread.
    """
    numbers = finite_numbers(values)
    stratum = cluster_numbers(len(numbers), strata)
    counts = np.bincount(stratum)
    centres = np.bincount(stratum, numbers) / counts
    weight = item_weights(strata, weights)
    apart = (numbers - centres[stratum]) * np.sqrt(counts / np.maximum(counts - 1, 1))[stratum]
    return np.asarray((weight * numbers).mean() + weight * apart)


def _stratum(
    numbers: Floats,
    strata: Sequence[Key],
    name: Key,
    clusters: Clusters | None,
    sizes: Mapping[Key, int] | None,
) -> _Stratum:
    places = [place for place, key in enumerate(strata) if key == name]
    values = numbers[places]
    mean = float(values.mean())
    keys = None if clusters is None else [clusters[place] for place in places]
    residuals = cluster_sums((values - mean)[:, None], keys)[:, 0]
    count = len(residuals)
    squares = float(residuals @ residuals)
    if squares <= (1e-12 * len(values)) ** 2:  # rounding is no spread
        squares = 0.0
    asked = 0.0 if sizes is None else len(values) / sizes[name]
    if asked > 1:
        raise StatisticsError(f"{len(values)} items of a stratum of {sizes and sizes[name]}.")
    return _Stratum(mean, len(values), count, squares, asked)


def _variance(
    strata: Mapping[Key, _Stratum], shares: Mapping[Key, float]
) -> tuple[float, float | None]:
    """Of the weighted mean, and its degrees of freedom; None where no stratum has two items."""
    several = {name: s for name, s in strata.items() if s.n_clusters > 1}
    if not several:
        return _collapsed(strata, shares)
    lone = sum(
        shares[name] ** 2 * (1 - s.asked) / s.n for name, s in strata.items() if s.n_clusters == 1
    )
    n_pooled = sum(s.n for s in several.values())
    parts = {
        name: (shares[name] ** 2 * (1 - s.asked) / s.n**2 + lone / n_pooled) * _corrected(s)
        for name, s in several.items()
    }
    variance, most = sum(parts.values()), sum(s.n_clusters - 1 for s in several.values())
    if variance == 0:
        return 0.0, most
    squares = sum(part**2 / (several[name].n_clusters + 1) for name, part in parts.items())
    return variance, min(most, variance**2 / squares - 2)


def _collapsed(
    strata: Mapping[Key, _Stratum], shares: Mapping[Key, float]
) -> tuple[float, float | None]:
    """Where no stratum has two: what the strata's means differ by, which is rather too much."""
    if len(strata) < 2:
        return 0.0, None
    means = np.array([s.mean for s in strata.values()])
    spread = float(means.var(ddof=1))
    variance = sum(shares[name] ** 2 * (1 - s.asked) * spread for name, s in strata.items())
    return variance, len(strata) - 1


def _corrected(stratum: _Stratum) -> float:
    return stratum.squares * stratum.n_clusters / (stratum.n_clusters - 1)
