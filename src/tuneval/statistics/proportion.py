"""Intervals for a share of successes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv

from tuneval.errors import StatisticsError
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.sample import (
    Clusters,
    check_level,
    cluster_sums,
    finite_numbers,
    two_sided_t,
    two_sided_z,
)


def wilson(successes: int, n: int, *, level: float = 0.95) -> Estimate:
    """Interval for a share that stays inside [0, 1] and never has zero width. Wilson (1927).

    Raises StatisticsError when n is 0.
    """
    _check_counts(successes, n)
    low, high = wilson_limits(successes / n, n, two_sided_z(level))
    return Estimate(successes / n, low, high, level, "Wilson", n)


def clopper_pearson(successes: int, n: int, *, level: float = 0.95) -> Estimate:
    """Interval for a share that covers at least `level` always, and is wide for it.

    Clopper and Pearson (1934). Raises StatisticsError when n is 0.
    """
    _check_counts(successes, n)
    check_level(level)
    tail = (1 - level) / 2
    low = float(betaincinv(successes, n - successes + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, n - successes, 1 - tail)) if successes < n else 1.0
    return Estimate(successes / n, low, high, level, "Clopper-Pearson", n)


def clustered_wilson(
    successes: ArrayLike,
    trials: ArrayLike | None = None,
    *,
    clusters: Clusters | None = None,
    level: float = 0.95,
) -> Estimate:
    """Interval for a share whose trials hang together: answers on one text, tokens of one item.

    `successes` and `trials` (1 each unless given) are per item; trials of an item, and of all
    items of a cluster, may agree more than chance. Wilson with the effective number of trials
    (total divided by the design effect, never more than the total) and Student's t for the
    clusters: Korn and Graubard (1998), Franco et al. (2019). Without any spread between
    clusters, the number of clusters is taken as the effective number.
    """
    won = finite_numbers(successes, name="successes")
    tried = np.ones_like(won) if trials is None else finite_numbers(trials, name="trials")
    if len(tried) != len(won) or (won < 0).any() or (won > tried).any() or not tried.any():
        raise StatisticsError(
            "Successes and trials do not fit: each item needs 0 <= successes <= trials, "
            "and there must be a trial."
        )
    sums = cluster_sums(np.column_stack([won, tried]), clusters)
    total, n_clusters = tried.sum(), len(sums)
    share = float(won.sum() / total)
    if n_clusters < 2:
        return Estimate(share, None, None, level, "none: one cluster", len(won), n_clusters)
    residuals = sums[:, 0] - share * sums[:, 1]
    variance = n_clusters / (n_clusters - 1) * float(residuals @ residuals) / total**2
    effective = min(total, share * (1 - share) / variance) if variance > 0 else n_clusters
    low, high = wilson_limits(share, effective, two_sided_t(level, n_clusters - 1))
    return Estimate(share, low, high, level, "Wilson, clustered", len(won), n_clusters)


def _check_counts(successes: int, n: int) -> None:
    if n <= 0:
        raise StatisticsError(
            f"A share of {n} items is not defined.", mend="check why no item could be scored"
        )
    if not 0 <= successes <= n:
        raise StatisticsError(f"{successes} successes of {n} items cannot be.")


def wilson_limits(share: float, n: float, z: float) -> tuple[float, float]:
    """The ends of Wilson's interval; `n` may be an effective number, `z` Student's quantile."""
    middle = share + z * z / (2 * n)
    reach = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = (middle - reach) / (1 + z * z / n), (middle + reach) / (1 + z * z / n)
    # At 0 and 1 the limit is exact, but the formula gives it only up to rounding.
    return (
        0.0 if share == 0 else max(0.0, float(low)),
        1.0 if share == 1 else min(1.0, float(high)),
    )
