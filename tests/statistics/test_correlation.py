"""Correlations equal scipy and printed examples, and their intervals hold what they promise."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tuneval.errors import StatisticsError
from tuneval.statistics.correlation import _Tied, _weighted_spearman, pearson, spearman
from tuneval.statistics.estimate import Estimate

VALUES = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e3, 1e3, allow_subnormal=False))
PAIRS = st.lists(st.tuples(VALUES, VALUES), min_size=5, max_size=30).filter(
    lambda pairs: all(np.std(side) > 1e-3 for side in zip(*pairs, strict=True))
)


def bivariate(random: np.random.Generator, rho: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """n pairs of a bivariate normal distribution with correlation rho."""
    x = random.standard_normal(n)
    return x, rho * x + math.sqrt(1 - rho * rho) * random.standard_normal(n)


@given(PAIRS)
def test_values_equal_scipy_with_ties_and_without(pairs: list[tuple[float, float]]) -> None:
    a, b = zip(*pairs, strict=True)
    assert pearson(a, b).value == pytest.approx(stats.pearsonr(a, b).statistic, abs=1e-9)
    assert spearman(a, b).value == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-9)


@given(PAIRS, st.sampled_from([0.8, 0.95]))
def test_the_interval_of_pearson_equals_scipy(
    pairs: list[tuple[float, float]], level: float
) -> None:
    a, b = zip(*pairs, strict=True)
    found = pearson(a, b, level=level)
    if found.low is None:
        assert abs(found.value) == pytest.approx(1)
        return
    expected = stats.pearsonr(a, b).confidence_interval(level)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_spearman_of_a_printed_example() -> None:
    # IQ and hours of television of ten people: Wikipedia, "Spearman's rank correlation
    # coefficient", rho = -29/165. The interval is that of Bonett and Wright (2000), by hand.
    iq = [106, 100, 86, 101, 99, 103, 97, 113, 112, 110]
    hours = [7, 27, 2, 50, 28, 29, 20, 12, 6, 17]
    found = spearman(iq, hours)
    rho = -29 / 165
    assert found.value == pytest.approx(rho)
    reach = 1.959963984540054 * math.sqrt((1 + rho**2 / 2) / 7)
    assert found.low == pytest.approx(math.tanh(math.atanh(rho) - reach))
    assert found.high == pytest.approx(math.tanh(math.atanh(rho) + reach))
    assert (found.n, found.unit) == (10, "")


def test_any_increasing_change_leaves_spearman_as_it_is() -> None:
    random = np.random.default_rng(1)
    a, b = bivariate(random, 0.5, 60)
    assert spearman(np.exp(a), b**3) == spearman(a, b)
    assert pearson(1e6 * a + 5, -b).value == pytest.approx(-pearson(a, b).value)


def test_huge_values_do_not_overflow() -> None:
    assert pearson([1e300, 2e300, 3e300, 5e300], [1, 2, 3, 5]).value == pytest.approx(1)


@pytest.mark.parametrize("measure", [pearson, spearman], ids=["pearson", "spearman"])
def test_what_is_not_defined_says_why(measure: Callable[..., Estimate]) -> None:
    with pytest.raises(StatisticsError, match="All 3 second values are equal") as found:
        measure([1, 2, 3], [0.1, 0.1, 0.1])
    assert "0.1" in found.value.where
    with pytest.raises(StatisticsError, match="one pair"):
        measure([1], [2])
    with pytest.raises(StatisticsError, match="2 values cannot be paired with 3"):
        measure([1, 2], [1, 2, 3])
    with pytest.raises(StatisticsError, match="not finite"):
        measure([1, math.nan], [1, 2])
    with pytest.raises(StatisticsError, match="no first values"):
        measure([], [])


def test_few_items_and_a_perfect_order_have_no_interval() -> None:
    three = spearman([1, 2, 3], [1, 3, 2])
    assert three.value == pytest.approx(0.5)
    assert (three.low, three.method) == (None, "none: 3 items")
    perfect = spearman([1, 2, 3, 4, 5], [2, 4, 8, 16, 32])
    assert perfect.value == pytest.approx(1)
    assert (perfect.high, perfect.method) == (None, "none: perfect")


def test_clusters_without_company_change_nothing() -> None:
    a, b = bivariate(np.random.default_rng(2), 0.4, 30)
    for measure in (pearson, spearman):
        assert measure(a, b, clusters=list(range(30))) == measure(a, b)


def test_items_that_hang_together_widen_the_interval() -> None:
    a, b = bivariate(np.random.default_rng(3), 0.5, 25)
    four_times = np.repeat(a, 4), np.repeat(b, 4)
    keys = np.repeat(np.arange(25), 4).tolist()
    for measure in (pearson, spearman):
        naive, once = measure(*four_times), measure(a, b)
        honest = measure(*four_times, clusters=keys, n_resamples=2000)
        assert honest.value == pytest.approx(once.value)
        assert (honest.n, honest.n_clusters) == (100, 25)
        widths = [found.high - found.low for found in (naive, honest, once)]
        assert widths[0] < 0.7 * widths[1]
        assert widths[1] == pytest.approx(widths[2], rel=0.35)


def test_resampled_ranks_are_those_of_the_repeated_items() -> None:
    a, b = [3.0, 1.0, 1.0, 2.0, 5.0], [1.0, 1.0, 4.0, 2.0, 3.0]
    weights = np.array([[2.0, 1.0, 0.0, 3.0, 1.0], [0.0, 5.0, 0.0, 0.0, 0.0]])
    found = _weighted_spearman(weights, _Tied(np.array(a)), _Tied(np.array(b)))
    times = weights[0].astype(int)
    expected = stats.spearmanr(np.repeat(a, times), np.repeat(b, times)).statistic
    assert found == pytest.approx([expected, 0.0])


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
def test_intervals_hold_the_truth_as_often_as_they_say(rho: float) -> None:
    # Spearman's correlation of a bivariate normal: 6/pi asin(rho/2), Pearson (1907).
    random = np.random.default_rng(11)
    truths = {pearson: rho, spearman: 6 / math.pi * math.asin(rho / 2)}
    held = dict.fromkeys(truths, 0)
    times = 1500
    for _ in range(times):
        a, b = bivariate(random, rho, 40)
        for measure, truth in truths.items():
            found = measure(a, b)
            held[measure] += found.low <= truth <= found.high
    for count in held.values():
        assert 0.93 <= count / times <= 0.97


def test_a_clustered_interval_holds_the_truth() -> None:
    # Cluster and own part each have correlation 0.5, so the whole has it too.
    random = np.random.default_rng(12)
    held, times = 0, 150
    keys = np.repeat(np.arange(30), 3).tolist()
    for _ in range(times):
        shared = bivariate(random, 0.5, 30)
        own = bivariate(random, 0.5, 90)
        a, b = (np.repeat(s, 3) + 0.5 * o for s, o in zip(shared, own, strict=True))
        found = spearman(a, b, clusters=keys, n_resamples=800)
        held += found.low <= 6 / math.pi * math.asin(0.25) <= found.high
    assert 0.89 <= held / times <= 0.99
