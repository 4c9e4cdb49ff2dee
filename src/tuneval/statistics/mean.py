"""Intervals for a mean and for a ratio of sums."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tuneval.errors import StatisticsError
from tuneval.statistics.bootstrap import N_RESAMPLES, bootstrap
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.sample import Clusters, Floats, cluster_sums, finite_numbers, two_sided_t


def t_mean(
    values: ArrayLike, *, clusters: Clusters | None = None, level: float = 0.95, unit: str = ""
) -> Estimate:
    """Mean with Student's interval; with clusters, the cluster-robust one. Miller (2024)."""
    numbers = finite_numbers(values)
    return ratio_mean(numbers, np.ones_like(numbers), clusters=clusters, level=level, unit=unit)


def ratio_mean(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    clusters: Clusters | None = None,
    level: float = 0.95,
    unit: str = "",
) -> Estimate:
    """Sum over sum (loss per token, say) with Student's interval by the delta method.

    What one item or cluster contributes may hang together in any way. No interval for one
    cluster, nor when nothing varies.
    """
    above = finite_numbers(numerators, name="numerators")
    below = finite_numbers(denominators, name="denominators")
    if len(above) != len(below) or (below < 0).any() or not below.any():
        raise StatisticsError(
            "A ratio needs as many denominators as numerators, none negative and not all zero.",
            where=f"{len(above)} numerators, {len(below)} denominators, sum {below.sum()}",
        )
    ratio = float(above.sum() / below.sum())
    residuals = cluster_sums((above - ratio * below)[:, None], clusters)[:, 0]
    n_clusters = len(residuals)
    counted = None if clusters is None else n_clusters
    error = _standard_error(residuals, float(below.sum()))
    if error is None:
        why = "none: one item" if n_clusters < 2 else "none: no spread"
        return Estimate(ratio, None, None, level, why, len(above), counted, unit)
    reach = two_sided_t(level, n_clusters - 1) * error
    method = "Student t" if clusters is None else "Student t, clustered"
    return Estimate(ratio, ratio - reach, ratio + reach, level, method, len(above), counted, unit)


def standard_error(values: ArrayLike, *, clusters: Clusters | None = None) -> float | None:
    """Standard error of the mean, cluster-robust; None for one cluster or without any spread."""
    numbers = finite_numbers(values)
    residuals = cluster_sums((numbers - numbers.mean())[:, None], clusters)[:, 0]
    return _standard_error(residuals, len(numbers))


def bootstrap_mean(
    values: ArrayLike,
    *,
    seed: int,
    clusters: Clusters | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
    unit: str = "",
) -> Estimate:
    """Mean with a BCa interval, which follows skew and never leaves the range of the values."""
    numbers = finite_numbers(values)
    return bootstrap(
        np.column_stack([numbers, np.ones_like(numbers)]),
        lambda sums: sums[..., 0] / sums[..., 1],
        seed=seed,
        clusters=clusters,
        n_resamples=n_resamples,
        level=level,
        unit=unit,
    )


def _standard_error(residuals: Floats, total: float) -> float | None:
    n = len(residuals)
    squares = float(residuals @ residuals)
    # Equal values leave residuals of the order of rounding, which are no spread.
    if n < 2 or squares <= (1e-12 * total) ** 2:
        return None
    return float(np.sqrt(n / (n - 1) * squares)) / total
