from __future__ import annotations

import numpy as np
import pytest

from tuneval.errors import StatisticsError
from tuneval.statistics.bootstrap import bootstrap, weighted_bootstrap, without_each
from tuneval.statistics.paired_sums import paired_sums_comparison
from tuneval.statistics.paired_weights import paired_weights_comparison
from tuneval.statistics.sample import cluster_numbers

VALUES = np.random.default_rng(1).exponential(size=40)
KEYS = [None if n % 5 == 0 else n // 3 for n in range(40)]


def mean_of(values: np.ndarray):
    def mean(weights: np.ndarray) -> np.ndarray:
        total = weights.sum(axis=1)
        return np.where(total > 0, weights @ values / np.maximum(total, 1), np.nan)

    return mean


def ratio(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


@pytest.mark.parametrize("clusters", [None, KEYS])
def test_a_mean_has_the_same_interval_by_weights_as_by_sums(clusters) -> None:
    columns = np.column_stack([VALUES, np.ones(40)])
    by_sums = bootstrap(columns, ratio, seed=3, clusters=clusters, n_resamples=800)
    by_weights = weighted_bootstrap(mean_of(VALUES), 40, seed=3, clusters=clusters, n_resamples=800)
    assert by_weights.value == pytest.approx(by_sums.value)
    assert (by_weights.low, by_weights.high) == pytest.approx((by_sums.low, by_sums.high))
    assert by_weights.n_clusters == by_sums.n_clusters


@pytest.mark.parametrize("clusters", [None, KEYS])
def test_a_difference_of_means_is_the_same_by_weights_as_by_sums(clusters) -> None:
    # Items of a cluster change together, so that it matters that clusters are swapped whole.
    shift = np.random.default_rng(2).normal(0.2, 0.8, 40)[cluster_numbers(40, KEYS)]
    other = VALUES + shift
    a, b = (np.column_stack([side, np.ones(40)]) for side in (VALUES, other))
    by_sums = paired_sums_comparison(a, b, ratio, seed=3, clusters=clusters, n_resamples=2_000)
    by_weights = paired_weights_comparison(
        mean_of(np.concatenate([VALUES, other])), 40, seed=3, clusters=clusters, n_resamples=2_000
    )
    assert by_weights.difference.low == pytest.approx(by_sums.difference.low)
    assert by_weights.p_value == pytest.approx(by_sums.p_value, abs=0.01)
    assert by_weights.detectable == pytest.approx(by_sums.detectable)
    assert (by_weights.n_higher, by_weights.n_lower) == (by_sums.n_higher, by_sums.n_lower)


def test_leaving_out_each_cluster_leaves_the_others() -> None:
    members = cluster_numbers(3, ["a", None, "a"])
    assert members.tolist() == [0, 1, 0]
    left = without_each(mean_of(np.array([1.0, 5.0, 3.0])), members)
    assert left.tolist() == [5.0, 2.0]


def test_resamples_without_a_value_are_left_out() -> None:
    # A resample of five items lacks any given one with probability (4/5)^5 = 0.33.
    def first_counts(weights: np.ndarray) -> np.ndarray:
        return np.where(weights[:, 0] > 0, weights @ np.arange(5.0), np.nan)

    assert weighted_bootstrap(first_counts, 5, seed=1, n_resamples=500).low is not None

    def both_count(weights: np.ndarray) -> np.ndarray:
        return np.where((weights[:, :4] > 0).all(axis=1), weights @ np.arange(5.0), np.nan)

    few = weighted_bootstrap(both_count, 5, seed=1, n_resamples=500)
    assert (few.low, few.method) == (None, "none: too few items")


def test_a_figure_that_does_not_exist_is_refused() -> None:
    with pytest.raises(StatisticsError, match="does not exist"):
        weighted_bootstrap(lambda weights: np.full(len(weights), np.nan), 4, seed=1)
    with pytest.raises(StatisticsError, match="does not exist"):
        weighted_bootstrap(mean_of(np.array([])), 0, seed=1)
