"""Where the spread of repeated runs comes from: the items, the run, or each item in each run.

The layout is two-way with random effects, every item measured in every run:
value[i, j] = mean + item_i + run_j + rest_ij. The run part shifts all items of a run alike; the
rest (interaction) is what each item does on its own in each run, and averages out over many items.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtri, fdtri

from tuneval.errors import StatisticsError
from tuneval.statistics.bootstrap import N_RESAMPLES, bootstrap
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.sample import Clusters, Floats, check_level, cluster_sums


@dataclass(frozen=True, slots=True)
class VarianceParts:
    """Standard deviations of one run's score, by what they come from, in the score's unit.

    `between_runs` is that of the runs' scores as seen: `run` and `interaction` together. `items`
    is what another draw of as many items would change. A part that is estimated below zero is 0.
    """

    run_means: tuple[float, ...]
    between_runs: Estimate
    items: Estimate
    run: Estimate
    interaction: Estimate
    n_items: int
    n_clusters: int | None

    @property
    def n_runs(self) -> int:
        """How many runs there are."""
        return len(self.run_means)

    @property
    def mean(self) -> float:
        """The score over all runs."""
        return sum(self.run_means) / len(self.run_means)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"mean": self.mean}


def variance_parts(
    values: ArrayLike,
    *,
    seed: int,
    clusters: Clusters | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
    unit: str = "share",
) -> VarianceParts:
    """The parts of the variance of `values` (items, runs); analysis of variance, with intervals.

    `items` and `interaction` are the mean covariance of the runs' scores, and what their mean
    variance has beyond it: with independent items the textbook's mean squares, with clusters
    their cluster-robust form. Their intervals resample clusters (BCa). That of `between_runs` is
    by chi-square, that of `run` by modified large samples: both take runs as normal draws.
    Raises StatisticsError for fewer than two runs or clusters.
    """
    table = _layout(values)
    n_items, n_runs = table.shape
    table_sums = cluster_sums(np.column_stack([table - table.mean(), np.ones(n_items)]), clusters)
    n_clusters = len(table_sums)
    if n_clusters < 2:
        raise StatisticsError(
            "The items of one group alone do not show how items differ.",
            mend="repeat the evaluation on items of several groups",
        )
    columns = _columns(table_sums)
    items, interaction = (
        bootstrap(columns, part, seed=seed, n_resamples=n_resamples, level=level)
        for part in (_covariance_between_runs, _variance_beyond_it)
    )
    means = table.mean(axis=0)
    spread = float(means.var(ddof=1))
    rest = max(0.0, interaction.value) / n_items
    counted = None if clusters is None else n_clusters

    def told(variance: float, low: float | None, high: float | None, method: str) -> Estimate:
        ends = [None if end is None else math.sqrt(max(0.0, end)) for end in (low, high)]
        value = math.sqrt(max(0.0, variance))
        return Estimate(value, ends[0], ends[1], level, method, n_items, counted, unit)

    def over_items(part: Estimate) -> Estimate:
        ends = [None if end is None else end / n_items for end in (part.low, part.high)]
        return told(part.value / n_items, ends[0], ends[1], part.method)

    if spread <= 1e-24 * max(1.0, float(np.square(means).max())):
        none = (0.0, None, None, "none: all runs have one score")
        between, run = told(*none), told(*none)
    else:
        between = told(spread, *variance_limits(spread, n_runs - 1, level=level), "chi-square")
        limits = variance_difference_limits(
            spread, n_runs - 1, rest, (n_clusters - 1) * (n_runs - 1), level=level
        )
        run = told(spread - rest, *limits, "modified large sample")
    return VarianceParts(
        run_means=tuple(float(mean) for mean in means),
        between_runs=between,
        items=over_items(items),
        run=run,
        interaction=over_items(interaction),
        n_items=n_items,
        n_clusters=counted,
    )


def variance_limits(
    variance: float, degrees_of_freedom: int, *, level: float = 0.95
) -> tuple[float, float]:
    """Limits for the variance of a normal variable, by chi-square."""
    check_level(level)
    tail, total = (1 - level) / 2, degrees_of_freedom * variance
    return (
        total / float(chdtri(degrees_of_freedom, tail)),
        total / float(chdtri(degrees_of_freedom, 1 - tail)),
    )


def variance_difference_limits(
    first: float, first_freedom: int, second: float, second_freedom: int, *, level: float = 0.95
) -> tuple[float, float]:
    """Limits for the difference of what two independent mean squares estimate.

    Modified large samples: Ting, Burdick, Graybill, Jeyaratnam and Lu (1990). Exact where
    `second` is 0, and the lower limit is above 0 just where the F test rejects equality.
    """
    check_level(level)
    tail = (1 - level) / 2

    def shrink(freedom: int) -> float:  # 1 - 1 / F(upper tail; freedom, infinity)
        return 1 - freedom / float(chdtri(freedom, tail))

    def stretch(freedom: int) -> float:  # 1 / F(lower tail; freedom, infinity) - 1
        return freedom / float(chdtri(freedom, 1 - tail)) - 1

    def reach(ratio: float, at_first: float, at_second: float) -> float:
        mixed = ((ratio - 1) ** 2 - (at_first * ratio) ** 2 - at_second**2) / ratio
        square = (at_first * first) ** 2 + (at_second * second) ** 2 + mixed * first * second
        return math.sqrt(max(0.0, square))

    upper_ratio = float(fdtri(first_freedom, second_freedom, 1 - tail))
    lower_ratio = float(fdtri(first_freedom, second_freedom, tail))
    return (
        first - second - reach(upper_ratio, shrink(first_freedom), stretch(second_freedom)),
        first - second + reach(lower_ratio, stretch(first_freedom), shrink(second_freedom)),
    )


def _layout(values: ArrayLike) -> Floats:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise StatisticsError(
            "The spread between runs needs at least two runs of the same items.",
            where=f"given: shape {table.shape}",
            mend="repeat the evaluation",
        )
    if not table.size or not np.isfinite(table).all():
        raise StatisticsError(
            "Every item needs a finite value in every run.",
            mend="leave out items that could not be scored in some run, and count them",
        )
    return table


def _columns(sums: Floats) -> Floats:
    """What each cluster adds to the sums that the runs' variances and covariances are made of.

    `sums` (clusters, runs + 1) has the sum of its values in each run, then its size.
    """
    values, size = sums[:, :-1], sums[:, -1:]
    total = values.sum(axis=1, keepdims=True)
    squares = np.square(values).sum(axis=1, keepdims=True)
    ones = np.ones_like(size)
    return np.hstack([squares, total**2, size**2, size, ones, values, size * values])


def _run_variances(sums: Floats) -> tuple[Floats, Floats]:
    """Mean variance and mean covariance of the runs' scores, per item, of sums (..., 2R + 5)."""
    squares, total_squares, sizes_squared, size, n = np.moveaxis(sums[..., :5], -1, 0)
    values, weighted = np.split(sums[..., 5:], 2, axis=-1)
    n_runs = values.shape[-1]
    means = values / size[..., None]
    mean, weighted_total = means.sum(axis=-1), weighted.sum(axis=-1)
    diagonal = squares - 2 * (means * weighted).sum(axis=-1)
    diagonal += sizes_squared * np.square(means).sum(axis=-1)
    whole = total_squares - 2 * mean * weighted_total + sizes_squared * mean**2
    scale = n / np.maximum(n - 1, 1) / size
    covariance = scale * (whole - diagonal) / (n_runs * (n_runs - 1))
    return scale * diagonal / n_runs, covariance


def _covariance_between_runs(sums: Floats) -> Floats:
    return _run_variances(sums)[1]


def _variance_beyond_it(sums: Floats) -> Floats:
    variance, covariance = _run_variances(sums)
    beyond: Floats = variance - covariance
    return beyond
