from __future__ import annotations

import math

import numpy as np
import pytest

from tuneval.errors import StatisticsError
from tuneval.statistics.series import (
    _block_places,
    newey_west,
    path_difference,
    path_estimate,
    sharpe_difference,
    sharpe_ratio,
)


def returns(random: np.random.Generator, n: int, *, echo: float = 0.0) -> np.ndarray:
    """Of mean 0.1 and standard deviation 1; each an echo of the one before."""
    shocks = random.normal(size=n + 50) * math.sqrt(1 - echo**2)
    series = np.zeros(n + 50)
    for place in range(1, n + 50):
        series[place] = echo * series[place - 1] + shocks[place]
    return series[50:] + 0.1


def total(paths: np.ndarray) -> np.ndarray:
    return paths.sum(axis=-1)


def test_the_long_run_variance_is_the_weighted_sum_of_autocovariances() -> None:
    values = np.random.default_rng(0).normal(size=30)
    values -= values.mean()
    n, lags = 30, 3
    expected = sum(
        (1 - abs(i - j) / (lags + 1)) * values[i] * values[j]
        for i in range(n)
        for j in range(n)
        if abs(i - j) <= lags
    )
    assert newey_west(values, lags=lags) == pytest.approx(expected / n)
    # floor(4 (30/100)^(2/9)) = 3
    assert newey_west(values) == newey_west(values, lags=3)


def test_without_echoes_the_error_is_the_closed_formula() -> None:
    # Mertens (2002): 1 - skew S + (kurtosis - 1) / 4 S² over n, whatever the distribution.
    series = np.random.default_rng(1).exponential(size=40) - 0.6
    ratio = series.mean() / series.std(ddof=1)
    standard = (series - series.mean()) / series.std()
    skew, kurtosis = (standard**3).mean(), (standard**4).mean()
    expected = 1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2
    terms = standard - ratio / 2 * (standard**2 - 1)
    assert newey_west(terms, lags=0) == pytest.approx(expected)
    found = sharpe_ratio(series, periods=4)
    reach = 1.959964 * math.sqrt(newey_west(terms) / 40 * 4)
    assert found.value == pytest.approx(2 * ratio)
    assert (found.low, found.high) == pytest.approx(
        (2 * ratio - reach, 2 * ratio + reach), rel=1e-6
    )


def test_the_error_for_normal_returns_is_that_of_los_table() -> None:
    # Lo (2002), table 1: a monthly ratio of 0.5 over 60 months has an error of 0.137.
    random = np.random.default_rng(5)
    errors = [
        (found.high - found.low) / 2 / 1.959964
        for found in (sharpe_ratio(random.normal(0.5, 1, 60)) for _ in range(200))
    ]
    assert np.mean(errors) == pytest.approx(0.137, abs=0.008)


@pytest.mark.parametrize(("echo", "least"), [(0.0, 0.92), (0.3, 0.88)])
def test_the_interval_of_the_sharpe_ratio_covers(echo: float, least: float) -> None:
    random = np.random.default_rng(2)
    rounds = [sharpe_ratio(returns(random, 250, echo=echo)) for _ in range(300)]
    covered = np.mean([found.low <= 0.1 <= found.high for found in rounds])
    assert least <= covered <= 0.98


def test_equal_strategies_are_called_different_rarely() -> None:
    random = np.random.default_rng(3)
    called = 0
    for _ in range(300):
        shared = random.normal(size=120)
        a, b = (shared + random.normal(0.1, 1, 120) for _ in range(2))
        found = sharpe_difference(a, b)
        called += found.difference.excludes(0)
        assert found.difference.excludes(0) == (found.p_value < 0.05)
    assert called / 300 <= 0.085


def test_paths_are_drawn_in_blocks_that_go_round_the_end() -> None:
    places = np.concatenate(list(_block_places(64, 500, seed=1)))
    assert places.shape == (500, 64)
    follows = (np.diff(places, axis=1) - 1) % 64 == 0
    # A new block begins with probability 1/4 and by chance goes on where the last one ended.
    assert follows.mean() == pytest.approx(1 - 1 / 4 + 1 / 4 / 64, abs=0.01)
    assert np.bincount(places.ravel()) == pytest.approx(np.full(64, 500), rel=0.25)


def test_the_interval_of_a_path_is_wider_where_returns_echo() -> None:
    random = np.random.default_rng(4)
    plain, echoing = (
        path_estimate(returns(random, 200, echo=echo), total, seed=1) for echo in (0.0, 0.6)
    )
    assert echoing.high - echoing.low > 1.3 * (plain.high - plain.low)


def test_the_interval_of_a_sum_covers() -> None:
    random = np.random.default_rng(6)
    covered = 0
    for seed in range(150):
        found = path_estimate(returns(random, 120), total, seed=seed, n_resamples=400)
        covered += found.low <= 12.0 <= found.high
    assert 0.87 <= covered / 150 <= 0.99


def test_two_paths_are_drawn_at_the_same_periods() -> None:
    random = np.random.default_rng(7)
    market = random.normal(size=100)
    found = path_difference(market, market + random.normal(0.01, 0.001, 100), total, seed=1)
    # The market's own sum has a standard error of 10; that of the difference is 0.01.
    assert found.difference.low == pytest.approx(1.0, abs=0.05)
    assert found.difference.high == pytest.approx(1.0, abs=0.05)
    assert found.p_value < 0.001


def test_a_difference_that_never_varies_has_no_interval_but_a_test() -> None:
    market = np.random.default_rng(7).normal(size=100)
    always, never = (path_difference(market, market + g, total, seed=1) for g in (0.5, 0.0))
    assert (always.difference.low, never.difference.low) == (None, None)
    assert always.p_value < 0.001
    assert never.p_value == 1.0


def test_few_periods_have_no_interval() -> None:
    for found in (sharpe_ratio([1.0, 2.0, 3.0]), path_estimate([1.0, 2.0], total, seed=1)):
        assert found.low is None
        assert found.method.startswith("none: ")
    compared = path_difference([1.0, 2.0], [2.0, 3.0], total, seed=1)
    assert (compared.difference.value, compared.p_value) == (2.0, 1.0)


def test_series_that_cannot_be_measured_are_refused() -> None:
    with pytest.raises(StatisticsError, match="never vary"):
        sharpe_ratio([0.1] * 9)
    with pytest.raises(StatisticsError, match="cannot be paired"):
        sharpe_difference([1.0, 2.0], [1.0])
