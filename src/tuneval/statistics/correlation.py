"""How closely two measurements of the same items go together."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from tuneval.errors import StatisticsError
from tuneval.statistics.bootstrap import N_RESAMPLES, bootstrap
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.sample import (
    Clusters,
    Floats,
    check_level,
    finite_numbers,
    is_clustered,
    two_sided_z,
)

_LEAST = 4
"""Items from which on Fisher's z has a standard error."""


def pearson(
    a: ArrayLike,
    b: ArrayLike,
    *,
    clusters: Clusters | None = None,
    seed: int = 17,
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
) -> Estimate:
    """Pearson's correlation, -1 to 1: how nearly the pairs lie on a line.

    Interval: Fisher's z (1921), made for normal data; with clusters a BCa bootstrap of whole
    clusters. Raises StatisticsError when all values of a side are equal.
    """
    first, second = _pairs(a, b)
    value = _product_moment(first, second)
    if not is_clustered(clusters):
        return _by_fisher(value, len(first), 1.0, level, "Fisher z")
    first, second = _standard(first), _standard(second)
    columns = [first, second, first * first, second * second, first * second]
    return bootstrap(
        np.column_stack([*columns, np.ones_like(first)]),
        _pearson_of_sums,
        seed=seed,
        clusters=clusters,
        n_resamples=n_resamples,
        level=level,
    ).mapped(_within_one)


def spearman(
    a: ArrayLike,
    b: ArrayLike,
    *,
    clusters: Clusters | None = None,
    seed: int = 17,
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
) -> Estimate:
    """Spearman's rank correlation, -1 to 1: how nearly one side orders the items as the other.

    Equal values share their mean rank. Interval: Fisher's z with the standard error
    sqrt((1 + r²/2) / (n - 3)) of Bonett and Wright (2000). With clusters a BCa bootstrap of whole
    clusters, ranks counted anew in each resample; it needs room for items × clusters numbers.
    Raises StatisticsError when all values of a side are equal.
    """
    first, second = _pairs(a, b)
    groups, once = (_Tied(first), _Tied(second)), np.ones(len(first))
    value = _product_moment(*(group.ranks(once) for group in groups))
    if not is_clustered(clusters):
        spread = math.sqrt(1 + value * value / 2)
        return _by_fisher(value, len(first), spread, level, "Fisher z, Bonett-Wright")
    return bootstrap(
        np.eye(len(first)),
        lambda weights: _weighted_spearman(weights, *groups),
        seed=seed,
        clusters=clusters,
        n_resamples=n_resamples,
        level=level,
    ).mapped(_within_one)


class _Tied:
    """Where each item stands in the order of the values, equal ones together."""

    def __init__(self, values: Floats) -> None:
        self._order = np.argsort(values, kind="stable")
        ordered = values[self._order]
        is_new = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        self._starts = np.flatnonzero(is_new)
        self._group = np.empty(len(values), dtype=np.intp)
        self._group[self._order] = np.cumsum(is_new) - 1

    def ranks(self, weights: Floats) -> Floats:
        """Mean rank of each item when it occurs `weights` (…, n) times, (…, n)."""
        sizes = np.add.reduceat(weights[..., self._order], self._starts, axis=-1)
        middles = np.cumsum(sizes, axis=-1) - sizes / 2
        ranks: Floats = middles[..., self._group]
        return ranks


def _weighted_spearman(weights: Floats, first: _Tied, second: _Tied) -> Floats:
    """Of items that occur `weights` (…, n) times; 0 where a resample leaves a side constant."""
    total = weights.sum(axis=-1, keepdims=True)
    x = first.ranks(weights) - total / 2  # the mean rank is half the number of items
    y = second.ranks(weights) - total / 2
    xx, yy = (weights * x * x).sum(-1), (weights * y * y).sum(-1)
    return _quotient((weights * x * y).sum(-1), xx, yy, scale=total[..., 0] ** 3)


def _pearson_of_sums(sums: Floats) -> Floats:
    x, y, xx, yy, xy, n = np.moveaxis(sums, -1, 0)
    return _quotient(n * xy - x * y, n * xx - x * x, n * yy - y * y, scale=n * n)


def _quotient(above: Floats, xx: Floats, yy: Floats, *, scale: Floats) -> Floats:
    """above / sqrt(xx * yy), and 0 where nothing varies but by rounding."""
    varies = (xx > 1e-12 * scale) & (yy > 1e-12 * scale)
    below = np.sqrt(np.where(varies, xx * yy, 1.0))
    return np.where(varies, above / below, 0.0)


def _by_fisher(value: float, n: int, spread: float, level: float, method: str) -> Estimate:
    """Fisher's z with the standard error spread / sqrt(n - 3)."""
    check_level(level)
    if n < _LEAST or abs(value) > 1 - 1e-12:
        why = f"none: {n} items" if n < _LEAST else "none: perfect"
        return Estimate(value, None, None, level, why, n, unit="")
    reach = two_sided_z(level) * spread / math.sqrt(n - 3)
    middle = math.atanh(value)
    low, high = math.tanh(middle - reach), math.tanh(middle + reach)
    return Estimate(value, low, high, level, method, n, unit="")


def _product_moment(first: Floats, second: Floats) -> float:
    x, y = _standard(first), _standard(second)
    return _within_one(float(x @ y) / len(x))


def _standard(values: Floats) -> Floats:
    """Mean 0 and standard deviation 1, without overflow on the way."""
    largest = float(np.abs(values).max())
    scaled = values / largest
    centred = scaled - scaled.mean()
    standard: Floats = centred / centred.std()
    return standard


def _within_one(value: float) -> float:
    """Without what rounding puts beyond -1 and 1."""
    return max(-1.0, min(1.0, value))


def _pairs(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    first, second = finite_numbers(a, name="first values"), finite_numbers(b, name="second values")
    if len(first) != len(second):
        raise StatisticsError(
            f"{len(first)} values cannot be paired with {len(second)}.",
            mend="keep the items that both sides have a value for",
        )
    if len(first) < 2:
        raise StatisticsError("A correlation of one pair is not defined.", mend="give more items")
    for name, values in (("first", first), ("second", second)):
        if np.ptp(values) <= 1e-12 * float(np.abs(values).max()):
            raise StatisticsError(
                f"All {len(values)} {name} values are equal: nothing goes together with what "
                "never varies.",
                where=f"each is {values[0]:g}",
                mend="leave this measurement out",
            )
    return first, second
