"""Two systems on the same items, by a figure of the whole set: a ratio of sums, an F1."""

from __future__ import annotations

import numpy as np

from tuneval.errors import StatisticsError
from tuneval.statistics.bootstrap import N_RESAMPLES, Statistic, bootstrap, jackknife_error
from tuneval.statistics.paired import PairedComparison
from tuneval.statistics.power import smallest_detectable_mean_difference
from tuneval.statistics.sample import Clusters, Floats, cluster_sums

_CELLS_AT_ONCE = 131_072


def paired_sums_comparison(
    a: Floats,
    b: Floats,
    statistic: Statistic,
    *,
    seed: int,
    clusters: Clusters | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
    unit: str = "",
) -> PairedComparison:
    """`statistic(sums of b) - statistic(sums of a)` with a BCa interval and a p-value.

    `a` and `b` (n, k) hold what each item adds under either system, as in `bootstrap`. The test
    is approximate randomisation (Yeh 2000): were the two alike, swapping their rows would change
    nothing. Items are counted as higher or lower by the statistic of their own row; a row that
    has none (0 / 0) counts as equal.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != 2 or first.shape != second.shape:
        raise StatisticsError(
            f"Rows of shape {first.shape} cannot be paired with rows of shape {second.shape}.",
            mend="keep the items that both systems have a value for",
        )
    width = first.shape[1]

    def gap(sums: Floats) -> Floats:
        return np.asarray(statistic(sums[..., width:]) - statistic(sums[..., :width]))

    both = np.concatenate([first, second], axis=1)
    difference = bootstrap(
        both, gap, seed=seed, clusters=clusters, n_resamples=n_resamples, level=level, unit=unit
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.nan_to_num(gap(both))
    sums = cluster_sums(both, clusters)
    error = jackknife_error(sums, gap)
    higher, lower = int((change > 0).sum()), int((change < 0).sum())
    return PairedComparison(
        difference=difference,
        test="approximate randomisation",
        p_value=_randomisation_p(sums, statistic, seed, n_resamples),
        n_higher=higher,
        n_lower=lower,
        n_equal=len(both) - higher - lower,
        detectable=smallest_detectable_mean_difference(error, len(sums) - 1, level=level)
        if error
        else None,
    )


def _randomisation_p(both: Floats, statistic: Statistic, seed: int, n_resamples: int) -> float:
    """How often swapping the systems at random, clusters whole, gives as large a difference."""
    first, second = np.split(both, 2, axis=1)
    total_first, total_second = first.sum(axis=0), second.sum(axis=0)
    observed = abs(float(statistic(total_second) - statistic(total_first)))
    observed *= 1 - 1e-12
    gaps = second - first
    gaps = gaps[np.any(gaps != 0, axis=1)]
    random = np.random.default_rng(seed)
    # numpy draws four of these small numbers at once: in blocks of fours none are lost.
    rows_at_once = max(4, _CELLS_AT_ONCE // max(1, len(gaps)) & -4)
    extreme = 0
    for start in range(0, n_resamples, rows_at_once):
        rows = min(rows_at_once, n_resamples - start)
        swapped = random.integers(0, 2, size=(rows, len(gaps)), dtype=np.int8) @ gaps
        changes = statistic(total_second - swapped) - statistic(total_first + swapped)
        extreme += int((np.abs(changes) >= observed).sum())
    return (extreme + 1) / (n_resamples + 1)
