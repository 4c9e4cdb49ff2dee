"""What a weighted figure knows at once, against weighing everything anew; draws, old and new."""

from __future__ import annotations

import numpy as np
import pytest

from tuneval.statistics import bootstrap as bootstrap_module
from tuneval.statistics.bootstrap import (
    LeavesOut,
    OfColumns,
    weighed_without_each,
    weighted_bootstrap,
    without_each,
)
from tuneval.statistics.combined import combined_statistic
from tuneval.statistics.paired_weights import paired_weights_comparison, weights_gap
from tuneval.statistics.roc import mean_weighted_auc, weighted_auc
from tuneval.statistics.sample import cluster_numbers
from tuneval.statistics.series import _block_places

N = 40
RANDOM = np.random.default_rng(4)
# Scores with many ties; both classes; clusters that hold both.
SCORES, POSITIVE = RANDOM.integers(0, 9, 2 * N).astype(float), RANDOM.random(2 * N) < 0.4
CLUSTERS = [None if n % 7 == 0 else n // 4 for n in range(N)]


def share(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


def columns() -> OfColumns:
    return OfColumns(np.column_stack([SCORES, np.ones(2 * N)]), share)


def area() -> LeavesOut:
    return weighted_auc(SCORES, POSITIVE)


STATISTICS = {
    "columns": columns,
    "area": area,
    "mean of areas": lambda: mean_weighted_auc(
        [area(), weighted_auc(SCORES**2 % 5, POSITIVE)], 2 * N
    ),
    "combined": lambda: combined_statistic(
        {"a": area(), "c": columns()}, lambda found: found["a"] * 2 - found["c"] ** 2
    ),
}


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("clusters", [None, CLUSTERS])
@pytest.mark.parametrize("half", ["all", "first", "second", "twice"])
def test_what_is_left_without_each_cluster_is_that_of_weighing_the_others(
    name: str, clusters: list[int | None] | None, half: str
) -> None:
    statistic = STATISTICS[name]()
    members = np.tile(cluster_numbers(N, clusters), 2)
    weights = {
        "all": np.ones(2 * N),
        "first": np.repeat([1.0, 0.0], N),
        "second": np.repeat([0.0, 1.0], N),
        "twice": RANDOM.integers(1, 4, 2 * N).astype(float),
    }[half]
    assert isinstance(statistic, LeavesOut)
    at_once = statistic.without_each(weights, members)
    assert at_once == pytest.approx(weighed_without_each(statistic, weights, members), nan_ok=True)


@pytest.mark.parametrize("name", STATISTICS)
def test_the_figure_of_each_item_is_that_of_a_weight_of_its_own(name: str) -> None:
    statistic = STATISTICS[name]()
    assert isinstance(statistic, LeavesOut)
    with np.errstate(all="ignore"):
        alone = statistic(np.eye(2 * N))
    assert statistic.of_each() == pytest.approx(alone, nan_ok=True)


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("clusters", [None, CLUSTERS])
def test_a_comparison_is_the_same_with_and_without_what_is_known(
    name: str, clusters: list[int | None] | None
) -> None:
    statistic = STATISTICS[name]()

    def known(weights: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return statistic(weights)

    with np.errstate(all="ignore"):
        found, expected = (
            paired_weights_comparison(of, N, seed=3, clusters=clusters, n_resamples=400)
            for of in (statistic, known)
        )
    for one, other in (
        (found.difference.low, expected.difference.low),
        (found.difference.high, expected.difference.high),
        (found.p_value, expected.p_value),
        (found.detectable, expected.detectable),
    ):
        assert one == pytest.approx(other, rel=1e-9)
    assert (found.n_higher, found.n_lower) == (expected.n_higher, expected.n_lower)


def test_a_gap_is_turned_round_by_its_sign() -> None:
    gap, turned = weights_gap(area(), N), weights_gap(area(), N, sign=-1)
    once, members = np.ones((1, N)), np.arange(N)
    assert turned(once) == -gap(once)
    assert isinstance(gap, LeavesOut)
    assert isinstance(turned, LeavesOut)
    left = gap.without_each(once[0], members)
    assert turned.without_each(once[0], members) == pytest.approx(-left, nan_ok=True)
    assert not isinstance(weights_gap(lambda weights: weights.sum(axis=1), N), LeavesOut)


def test_groups_of_very_many_clusters_tell_the_same_spread() -> None:
    values = np.random.default_rng(2).exponential(size=5_000)
    known = OfColumns(np.column_stack([values, np.ones_like(values)]), share)
    each = known.without_each(np.ones(5_000), np.arange(5_000))
    grouped = without_each(lambda weights: known(weights), np.arange(5_000))
    assert len(grouped) == 1_000
    errors = [np.sqrt((len(left) - 1) * left.var()) for left in (each, grouped)]
    assert errors[1] == pytest.approx(errors[0], rel=0.08)
    estimates = [
        weighted_bootstrap(of, 5_000, seed=1, n_resamples=500)
        for of in (known, lambda weights: known(weights))
    ]
    width = estimates[0].high - estimates[0].low
    assert estimates[1].low == pytest.approx(estimates[0].low, abs=0.03 * width)


@pytest.mark.parametrize("n", [1, 7, 300, 40_000])
def test_resamples_are_drawn_as_ever(n: int) -> None:
    rows = 30
    random = np.random.default_rng(5)
    draws = random.integers(0, n, size=(rows, n))
    expected = [np.bincount(row, minlength=n) for row in draws]
    blocks = list(bootstrap_module._resample_weights(n, rows, 5))
    assert np.array_equal(np.concatenate(blocks), expected)


@pytest.mark.parametrize("n", [8, 100, 70_000])
def test_drawn_paths_are_runs_that_go_round_the_end(n: int) -> None:
    rows = 20
    random = np.random.default_rng(6)
    begins = random.random((rows, n)) < n ** (-1 / 3)
    begins[:, 0] = True
    drawn = random.integers(0, n, size=(rows, n))
    expected = np.empty((rows, n), dtype=int)
    for row in range(rows):
        for step in range(n):
            before = (expected[row, step - 1] + 1) % n
            expected[row, step] = drawn[row, step] if begins[row, step] else before
    assert np.array_equal(np.concatenate(list(_block_places(n, rows, 6))), expected)
