from __future__ import annotations

import math

import numpy as np
import pytest
from answers import answer, difference, result, value

from tuneval.errors import UsageError
from tuneval.evaluation.metrics import load_metric


def periods(returns) -> list:
    return [answer(**{"return": float(r)}) for r in returns]


def of_prices(*prices: float) -> list:
    return periods(np.diff(prices) / prices[:-1])


def test_prices_give_their_return_and_deepest_fall() -> None:
    # 100 to 90 in all; from 110 to 88 it fell by a fifth, from 120 to 90 by a quarter.
    items = of_prices(100, 110, 88, 120, 90)
    assert value("cumulative_return", items) == pytest.approx(-0.1)
    assert value("max_drawdown", items) == pytest.approx(0.25)
    assert result("cumulative_return", items).detail["cumulative"] == pytest.approx(
        [0.1, -0.12, 0.2, -0.1]
    )
    detail = result("max_drawdown", items).detail
    assert detail["drawdown"] == pytest.approx([0, 0.2, 0, 0.25])
    assert detail["deepest_at"] == 3


def test_the_start_is_a_peak() -> None:
    assert value("max_drawdown", of_prices(100, 70, 80)) == pytest.approx(0.3)
    assert value("max_drawdown", of_prices(100, 110, 120)) == 0.0


def test_the_sharpe_ratio_is_annualised_by_the_root_of_the_periods() -> None:
    returns = [0.01, 0.03, -0.02, 0.02]
    plain = np.mean(returns) / np.std(returns, ddof=1)
    assert value("sharpe_ratio", periods(returns)) == pytest.approx(plain)
    assert value("sharpe_ratio:12", periods(returns)) == pytest.approx(plain * math.sqrt(12))
    assert result("sharpe_ratio:12", periods(returns)).detail == {
        "mean": pytest.approx(0.01),
        "standard_deviation": pytest.approx(np.std(returns, ddof=1)),
        "periods_in_a_year": 12.0,
    }


def test_returns_that_never_vary_have_no_sharpe_ratio() -> None:
    for returns in ([0.01] * 5, [0.01]):
        assert result("sharpe_ratio", periods(returns)).estimate is None
        assert difference("sharpe_ratio", periods(returns), periods(returns)) is None
    assert value("cumulative_return", periods([0.01])) == pytest.approx(0.01)


def test_a_short_series_has_no_interval_and_a_long_one_has() -> None:
    random = np.random.default_rng(0)
    for metric in ("cumulative_return", "sharpe_ratio", "max_drawdown"):
        short, long = (result(metric, periods(random.normal(0.001, 0.01, n))) for n in (7, 60))
        assert short.estimate.low is None
        assert short.estimate.method == "none: 7 periods"
        assert long.estimate.low < long.estimate.high


def test_a_return_that_floats_cannot_multiply_is_unscored() -> None:
    found = result("cumulative_return", periods([0.1, 1e300, 1e300, 0.2]))
    assert found.estimate.value == pytest.approx(1.1 * 1.2 - 1)
    assert found.unscored == {"a return above any that can be multiplied": 2}


def test_losing_all_is_a_return_and_losing_more_is_unscored() -> None:
    items = periods([0.1, -1.0, 0.5])
    assert value("cumulative_return", items) == -1.0
    assert value("max_drawdown", items) == 1.0
    found = result("max_drawdown", [*periods([0.1, -1.1]), answer("up")])
    assert found.unscored == {"a return below -100%": 1, "no return": 1}


def test_a_better_strategy_shows_in_all_three() -> None:
    random = np.random.default_rng(3)
    market = random.normal(0, 0.01, 300)
    worse, better = periods(market - 0.004), periods(market + 0.004)
    for metric, sign in (("cumulative_return", 1), ("sharpe_ratio", 1), ("max_drawdown", -1)):
        found = difference(metric, worse, better)
        assert found.difference.value * sign > 0
        assert found.difference.excludes(0)
        assert found.p_value < 0.05
        assert (found.n_higher, found.n_equal) == (300, 0)


def test_the_same_strategy_differs_in_nothing() -> None:
    items = periods(np.random.default_rng(3).normal(0, 0.01, 30))
    for metric in ("cumulative_return", "sharpe_ratio", "max_drawdown"):
        found = difference(metric, items, items)
        assert (found.difference.value, found.difference.low, found.p_value) == (0.0, None, 1.0)


@pytest.mark.parametrize("argument", ["daily", "0", "-252"])
def test_periods_in_a_year_that_are_no_number_are_refused(argument: str) -> None:
    with pytest.raises(UsageError, match="no number of periods"):
        load_metric(f"sharpe_ratio:{argument}")
