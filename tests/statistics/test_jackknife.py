from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from tuneval.errors import StatisticsError
from tuneval.statistics.jackknife import LeftOut, paired_jackknife


def of_mean(values: np.ndarray) -> LeftOut:
    n = len(values)
    return LeftOut(float(values.mean()), (values.sum() - values) / (n - 1), n)


def test_of_a_mean_it_is_students_interval_and_test() -> None:
    values = np.random.default_rng(1).exponential(size=12)
    estimate = of_mean(values).estimate()
    expected = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    assert (estimate.low, estimate.high) == pytest.approx(expected)
    other = values + np.random.default_rng(2).normal(0.5, 1, size=12)
    paired = paired_jackknife(of_mean(values), of_mean(other), other - values)
    test = stats.ttest_rel(other, values)
    assert paired.p_value == pytest.approx(test.pvalue)
    assert (paired.difference.low, paired.difference.high) == pytest.approx(
        tuple(test.confidence_interval())
    )
    assert paired.n_higher + paired.n_lower == 12
    edge = stats.t.ppf(0.975, 11)
    shift = brentq(lambda d: stats.nct.sf(edge, 11, d) + stats.nct.cdf(-edge, 11, d) - 0.8, 1, 5)
    assert paired.detectable == pytest.approx(shift * stats.sem(other - values), rel=1e-4)


def test_without_spread_or_with_one_item_there_is_no_interval() -> None:
    same = of_mean(np.full(5, 0.3)).estimate()
    assert (same.low, same.method) == (None, "none: no spread")
    one = LeftOut(0.3, np.array([0.0]), 1).estimate()
    assert (one.low, one.method) == (None, "none: one item")
    alike = paired_jackknife(of_mean(np.arange(4.0)), of_mean(np.arange(4.0)), np.zeros(4))
    assert (alike.p_value, alike.detectable, alike.n_equal) == (1.0, None, 4)


def test_clusters_are_counted_and_must_fit() -> None:
    grouped = LeftOut(0.5, np.array([0.4, 0.6, 0.5]), 9)
    assert (grouped.estimate().n, grouped.estimate().n_clusters) == (9, 3)
    with pytest.raises(StatisticsError, match="paired"):
        paired_jackknife(grouped, LeftOut(0.5, np.array([0.4, 0.6]), 9), np.zeros(9))
