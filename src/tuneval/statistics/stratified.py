"""The mean of a set that was sampled stratum by stratum: a macro average, or a weighted whole."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from tuneval.errors import StatisticsError
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.proportion import wilson_limits
from tuneval.statistics.sample import Clusters, Floats, cluster_sums, finite_numbers, two_sided_t

Key = TypeVar("Key", bound=Hashable)


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
    others. Student's t with as many degrees of freedom as clusters less strata; for a share
    (values in 0..1), Wilson's limits with the effective number of items, as Franco et al. (2019)
    find best.
    """
    numbers = finite_numbers(values)
    if len(strata) != len(numbers):
        raise StatisticsError(f"There are {len(numbers)} values but {len(strata)} strata keys.")
    found = {
        name: _stratum(numbers, strata, name, clusters, sizes) for name in dict.fromkeys(strata)
    }
    total = sum(weights[name] for name in found)
    shares = {name: weights[name] / total for name in found}
    value = float(sum(shares[name] * stratum.mean for name, stratum in found.items()))
    variance, freedom = _variance(found, shares)
    n, n_clusters = len(numbers), sum(s.n_clusters for s in found.values())
    counted = None if clusters is None else n_clusters
    method = "stratified " + ("Wilson" if is_share else "Student t")
    method += "" if sizes is None else ", of the whole set"
    if all(stratum.asked == 1 for stratum in found.values()):
        return Estimate(value, value, value, level, "all items asked", n, counted, unit)
    if freedom is None or (variance == 0 and not is_share):
        why = "none: one item" if n_clusters < 2 else "none: no spread"
        return Estimate(value, None, None, level, why, n, counted, unit)
    if not is_share:
        reach = two_sided_t(level, freedom) * variance**0.5
        return Estimate(value, value - reach, value + reach, level, method, n, counted, unit)
    effective = value * (1 - value) / variance if variance > 0 else n_clusters
    low, high = wilson_limits(value, effective, two_sided_t(level, freedom))
    return Estimate(value, low, high, level, method, n, counted, unit)


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
) -> tuple[float, int | None]:
    """Of the weighted mean, and its degrees of freedom; None where no stratum has two items."""
    several = [s for s in strata.values() if s.n_clusters > 1]
    if not several:
        return _collapsed(strata, shares)
    pooled = sum(_corrected(s) for s in several) / sum(s.n for s in several)
    variance = sum(
        shares[name] ** 2
        * (1 - s.asked)
        * (_corrected(s) / s.n**2 if s.n_clusters > 1 else pooled / s.n)
        for name, s in strata.items()
    )
    return variance, sum(s.n_clusters - 1 for s in several)


def _collapsed(
    strata: Mapping[Key, _Stratum], shares: Mapping[Key, float]
) -> tuple[float, int | None]:
    """Where no stratum has two: what the strata's means differ by, which is rather too much."""
    if len(strata) < 2:
        return 0.0, None
    means = np.array([s.mean for s in strata.values()])
    spread = float(means.var(ddof=1))
    variance = sum(shares[name] ** 2 * (1 - s.asked) * spread for name, s in strata.items())
    return variance, len(strata) - 1


def _corrected(stratum: _Stratum) -> float:
    return stratum.squares * stratum.n_clusters / (stratum.n_clusters - 1)
