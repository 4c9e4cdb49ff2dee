"""Intervals from leaving out one item or cluster at a time.

For figures of a whole set that no resampling with replacement can follow: a count of distinct
things falls as soon as an item is drawn twice. The jackknife's variance is conservative: on
average it is not below the true one (Efron and Stein 1981).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from tuneval.errors import StatisticsError
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.paired import PairedComparison
from tuneval.statistics.power import smallest_detectable_mean_difference
from tuneval.statistics.sample import Floats, two_sided_t

METHOD = "jackknife, Student t"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A figure of `n_items` items, and `without` each cluster of them in turn, (n_clusters,)."""

    value: float
    without: Floats
    n_items: int

    @property
    def error(self) -> float | None:
        """Standard error; None for one cluster or without any spread. Tukey (1958)."""
        n = len(self.without)
        squares = float(((self.without - self.without.mean()) ** 2).sum()) if n > 1 else 0.0
        # Equal values leave residuals of the order of rounding, which are no spread.
        if squares <= n * (1e-12 * max(1.0, abs(self.value))) ** 2:
            return None
        return float(np.sqrt((n - 1) / n * squares))

    def estimate(self, *, level: float = 0.95, unit: str = "") -> Estimate:
        """The figure with Student's interval on the jackknife's error."""
        n = len(self.without)
        clusters = None if n == self.n_items else n
        error = self.error
        if error is None:
            why = "none: one item" if n < 2 else "none: no spread"
            return Estimate(self.value, None, None, level, why, self.n_items, clusters, unit)
        reach = two_sided_t(level, n - 1) * error
        low, high = self.value - reach, self.value + reach
        return Estimate(self.value, low, high, level, METHOD, self.n_items, clusters, unit)


def paired_jackknife(
    a: LeftOut, b: LeftOut, changes: Floats, *, level: float = 0.95, unit: str = ""
) -> PairedComparison:
    """The figure of b less that of a, both left out the same clusters in the same order.

    `changes` (n,) tells of each item whether b's own figure is higher or lower.
    """
    if len(a.without) != len(b.without) or a.n_items != b.n_items:
        raise StatisticsError(
            f"{len(a.without)} clusters cannot be paired with {len(b.without)}.",
            mend="keep the items that both systems have a value for",
        )
    gap = LeftOut(b.value - a.value, b.without - a.without, a.n_items)
    error = gap.error
    p_value = 1.0
    if error is not None:
        p_value = 2 * float(stdtr(len(gap.without) - 1, -abs(gap.value) / error))
    higher, lower = int((changes > 0).sum()), int((changes < 0).sum())
    return PairedComparison(
        difference=gap.estimate(level=level, unit=unit),
        test=METHOD,
        p_value=p_value,
        n_higher=higher,
        n_lower=lower,
        n_equal=len(changes) - higher - lower,
        detectable=None
        if error is None
        else smallest_detectable_mean_difference(error, len(gap.without) - 1, level=level),
    )
