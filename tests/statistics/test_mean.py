from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tuneval.errors import StatisticsError
from tuneval.statistics.bootstrap import _bca_limits, _resample_weights, bootstrap
from tuneval.statistics.mean import bootstrap_mean, ratio_mean, standard_error, t_mean

NUMBERS = st.lists(st.floats(-1e3, 1e3, allow_subnormal=False), min_size=2, max_size=40).filter(
    lambda numbers: np.std(numbers) > 1e-3
)


@given(NUMBERS, st.sampled_from([0.8, 0.95]))
def test_the_t_interval_equals_scipy(numbers: list[float], level: float) -> None:
    estimate = t_mean(numbers, level=level)
    low, high = stats.t.interval(level, len(numbers) - 1, np.mean(numbers), stats.sem(numbers))
    assert (estimate.low, estimate.high) == pytest.approx((low, high), rel=1e-6, abs=1e-6)
    assert standard_error(numbers) == pytest.approx(stats.sem(numbers))


@given(NUMBERS)
def test_every_item_repeated_in_its_cluster_changes_nothing(numbers: list[float]) -> None:
    keys = np.repeat(np.arange(len(numbers)), 3).tolist()
    once, thrice = t_mean(numbers), t_mean(np.repeat(numbers, 3), clusters=keys)
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), rel=1e-6, abs=1e-6)
    boot_once = bootstrap_mean(numbers, seed=1, n_resamples=500)
    boot_thrice = bootstrap_mean(np.repeat(numbers, 3), clusters=keys, seed=1, n_resamples=500)
    assert (boot_thrice.low, boot_thrice.high) == pytest.approx((boot_once.low, boot_once.high))


def test_an_item_without_cluster_stands_alone() -> None:
    values = [1.0, 2.0, 4.0, 8.0]
    assert t_mean(values, clusters=[None] * 4).low == pytest.approx(t_mean(values).low)
    assert t_mean(values, clusters=["a", "a", None, None]).n_clusters == 3


def test_the_ratio_interval_equals_the_delta_method_by_hand() -> None:
    # Cochran (1977), Sampling Techniques, eq. 2.45: v(R) = sum (y - R x)^2 / (n (n-1) xbar^2).
    above, below = np.array([3.0, 8.0, 2.0, 9.0]), np.array([4.0, 10.0, 5.0, 9.0])
    ratio = above.sum() / below.sum()
    error = np.sqrt(np.sum((above - ratio * below) ** 2) / (4 * 3 * below.mean() ** 2))
    estimate = ratio_mean(above, below)
    assert estimate.value == pytest.approx(ratio)
    assert estimate.high == pytest.approx(ratio + stats.t.ppf(0.975, 3) * error)


def test_equal_values_and_single_items_have_no_interval() -> None:
    assert t_mean([0.1] * 7).low is None
    assert t_mean([3.0]).low is None
    assert bootstrap_mean([0.1] * 7, seed=0).low is None
    assert t_mean([1.0, 2.0], clusters=["a", "a"]).low is None


def test_nothing_and_not_a_number_are_errors() -> None:
    with pytest.raises(StatisticsError, match="no values"):
        t_mean([])
    with pytest.raises(StatisticsError, match="1 of 2 values are not finite"):
        bootstrap_mean([1.0, float("nan")], seed=0)
    with pytest.raises(StatisticsError, match="2 items but 1 cluster"):
        t_mean([1.0, 2.0], clusters=["a"])


def test_the_same_seed_gives_the_same_interval_and_another_a_near_one() -> None:
    values = np.random.default_rng(0).lognormal(size=50)
    first, again, other = (bootstrap_mean(values, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert other.low != first.low
    assert other.low == pytest.approx(first.low, rel=0.02)


def test_bca_limits_equal_scipy_on_the_same_resamples() -> None:
    values = np.random.default_rng(5).lognormal(size=30)
    ours = bootstrap_mean(values, seed=1, n_resamples=40_000)
    # Our tails are those of Student's t, widened for small n; give scipy that level.
    level = 1 - 2 * stats.norm.sf(stats.t.ppf(0.975, 29) * np.sqrt(30 / 29))
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=40_000, confidence_level=level, method="BCa", rng=1
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=0.02)


def test_resample_weights_draw_every_cluster_evenly() -> None:
    weights = np.concatenate(list(_resample_weights(7, 3_000, seed=2)))
    assert weights.shape == (3_000, 7)
    assert (weights.sum(axis=1) == 7).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(7), abs=0.1)


def test_a_wild_correction_stays_within_the_resamples() -> None:
    replicates = np.linspace(0, 1, 1_000)
    low, high = _bca_limits(0.999, replicates, np.array([0.0, 0.0, 0.0, 9.0]), 0.95, 4)
    assert 0 <= low <= high <= 1


@pytest.mark.parametrize("n", [10, 30])
@pytest.mark.parametrize("shape", ["normal", "skewed"])
def test_the_bootstrap_interval_holds_its_coverage(n: int, shape: str) -> None:
    random = np.random.default_rng(17)
    rounds, covered = 400, 0
    for seed in range(rounds):
        values = random.normal(size=n) if shape == "normal" else random.exponential(size=n) - 1
        covered += not bootstrap_mean(values, seed=seed, n_resamples=600).excludes(0.0)
    # Plain BCa covers 0.88 to 0.92 here at n = 10.
    assert covered / rounds >= (0.92 if shape == "normal" else 0.89)


def test_the_clustered_t_interval_holds_its_coverage() -> None:
    random = np.random.default_rng(23)
    keys = np.repeat(np.arange(20), 5).tolist()
    covered = sum(
        not t_mean(
            np.repeat(random.normal(size=20), 5) + random.normal(size=100), clusters=keys
        ).excludes(0.0)
        for _ in range(600)
    )
    assert covered / 600 == pytest.approx(0.95, abs=0.03)


def test_a_bootstrap_takes_any_statistic_of_sums() -> None:
    columns = np.random.default_rng(0).random((80, 3)) + 0.5
    estimate = bootstrap(columns, lambda sums: sums[..., 0] * sums[..., 1] / sums[..., 2], seed=0)
    total = columns.sum(axis=0)
    assert estimate.value == pytest.approx(total[0] * total[1] / total[2])
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low < estimate.value < estimate.high
