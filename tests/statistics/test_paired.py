from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import minimize_scalar
from scipy.stats import binom, binomtest, norm

from tuneval.errors import StatisticsError
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.paired import (
    mcnemar,
    paired_comparison,
    paired_difference,
    permutation_test,
    tango,
)


@st.composite
def flips(draw: st.DrawFn, most: int = 60) -> tuple[int, int, int]:
    gained, lost = draw(st.integers(0, most)), draw(st.integers(0, most))
    return gained, lost, draw(st.integers(max(1, gained + lost), 4 * most))


def limits(estimate: Estimate) -> tuple[float, float]:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low, estimate.high


def answers(gained: int, lost: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.zeros(n), np.zeros(n)
    second[:gained] = 1
    first[gained : gained + lost] = 1
    return first, second


@given(flips())
def test_exact_mcnemar_equals_the_binomial_test(given: tuple[int, int, int]) -> None:
    gained, lost, _ = given
    expected = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert mcnemar(gained, lost, method="exact").p_value == pytest.approx(expected)


def test_mcnemar_equals_the_worked_example() -> None:
    # Fagerland, Lydersen, Laake (2013), BMC Med Res Methodol 13:91: airway hyper-responsiveness
    # before and after transplantation, 1 and 7 discordant: exact 0.070, mid-p 0.039.
    assert mcnemar(7, 1, method="exact").p_value == pytest.approx(0.070, abs=5e-4)
    assert mcnemar(7, 1, method="mid-p").p_value == pytest.approx(0.039, abs=5e-4)


def test_mcnemar_is_exact_for_few_flips_and_mid_p_for_many() -> None:
    assert mcnemar(20, 4).method == "McNemar exact"
    assert mcnemar(20, 5).method == "McNemar mid-p"
    assert mcnemar(0, 0).p_value == 1.0


def test_mcnemar_keeps_its_false_alarms_below_the_level() -> None:
    for n in (6, 15, 24, 25, 60, 200):
        chances = binom.pmf(np.arange(n + 1), n, 0.5)
        alarms = sum(
            chances[gained] for gained in range(n + 1) if mcnemar(gained, n - gained).p_value < 0.05
        )
        # Exact never exceeds 5%. Mid-p may a little for a given number of flips (0.056 at 25).
        assert alarms <= (0.05 if n < 25 else 0.057)


def test_tango_equals_the_worked_example() -> None:
    # The same data as above (1, 1, 7, 12); Fagerland, Lydersen, Laake (2014), Statistics in
    # Medicine 33:2850, table of intervals: Tango -0.517 to -0.026.
    estimate = tango(1, 7, 21)
    assert estimate.value == pytest.approx(-0.286, abs=5e-4)
    assert (estimate.low, estimate.high) == pytest.approx((-0.517, -0.026), abs=5e-4)


@given(flips())
def test_at_tangos_limits_the_score_statistic_is_the_normal_quantile(
    given: tuple[int, int, int],
) -> None:
    gained, lost, n = given
    estimate = tango(gained, lost, n)
    for limit in limits(estimate):
        if abs(limit) > 0.999:
            continue

        def minus_log_likelihood(share_lost: float, limit: float = limit) -> float:
            shares = np.array([share_lost + limit, share_lost, 1 - limit - 2 * share_lost])
            return -float(np.array([gained, lost, n - gained - lost]) @ np.log(shares))

        # The restricted likelihood maximised by search, not by Tango's formula.
        bounds = (max(0.0, -limit) + 1e-13, (1 - limit) / 2 - 1e-13)
        share_lost = minimize_scalar(
            minus_log_likelihood, bounds=bounds, method="bounded", options={"xatol": 1e-13}
        ).x
        variance = (2 * share_lost + limit - limit**2) / n
        score = (estimate.value - limit) / np.sqrt(variance)
        assert abs(score) == pytest.approx(norm.ppf(0.975), rel=2e-3)


@given(flips())
def test_tango_mirrors_when_the_systems_change_places(given: tuple[int, int, int]) -> None:
    gained, lost, n = given
    one, other = tango(gained, lost, n), tango(lost, gained, n)
    low, high = limits(one)
    assert (-high, -low) == pytest.approx(limits(other), abs=1e-9)
    assert -1 <= low <= one.value <= high <= 1


@given(flips(most=30))
def test_an_interval_that_excludes_zero_agrees_with_the_score_test(
    given: tuple[int, int, int],
) -> None:
    gained, lost, n = given
    if gained == lost:
        assert not tango(gained, lost, n).excludes(0.0)
    else:
        z = abs(gained - lost) / np.sqrt(gained + lost)
        assert tango(gained, lost, n).excludes(0.0) == (z > norm.ppf(0.975))


GAINED_AND_LOST = [
    (0.1, 0.1),
    (0.3, 0.05),
    (0.1, 0.02),
    (0.04, 0.04),
    (0.02, 0.5),
    (0.25, 0.25),
    (0.05, 0.0),
]


@pytest.mark.parametrize("n", [12, 20, 40])
def test_tangos_interval_holds_its_coverage_for_few_items(n: int) -> None:
    """Summed over all outcomes, no sampling: Tango covers; Wald falls to 0.45 at n = 12."""
    outcomes = [(g, lost) for g, lost in product(range(n + 1), repeat=2) if g + lost <= n]
    intervals = {outcome: tango(*outcome, n) for outcome in outcomes}
    coverages, wald_coverages = [], []
    for share_gained, share_lost in GAINED_AND_LOST:
        true = share_gained - share_lost
        covered = covered_by_wald = 0.0
        for gained, lost in outcomes:
            chance = binom.pmf(gained, n, share_gained)
            chance *= binom.pmf(lost, n - gained, share_lost / (1 - share_gained))
            covered += chance * (not intervals[gained, lost].excludes(true))
            covered_by_wald += chance * (abs((gained - lost) / n - true) <= wald(gained, lost, n))
        coverages.append(covered)
        wald_coverages.append(covered_by_wald)
    assert min(coverages) >= 0.935
    assert np.mean(coverages) >= 0.95
    assert min(wald_coverages) < 0.9


def wald(gained: int, lost: int, n: int) -> float:
    return float(norm.ppf(0.975) * np.sqrt(gained + lost - (gained - lost) ** 2 / n) / n)


def test_the_clustered_interval_covers_where_the_plain_one_does_not() -> None:
    random = np.random.default_rng(29)
    n_clusters, size, rounds = 30, 6, 300
    keys = np.repeat(np.arange(n_clusters), size).tolist()
    covered: Counter[str] = Counter()
    for _ in range(rounds):
        lean = random.normal(0, 0.9, n_clusters)[:, None]
        first = (random.random((n_clusters, size)) < 0.5).astype(float)
        second = (random.normal(size=(n_clusters, size)) + lean > 0).astype(float)
        for name, clusters in (("clustered", keys), ("plain", None)):
            estimate = paired_difference(
                first.ravel(), second.ravel(), binary=True, seed=0, clusters=clusters
            )
            covered[name] += not estimate.excludes(0.0)
    assert covered["clustered"] / rounds >= 0.92
    assert covered["plain"] / rounds <= 0.9


def test_repeating_items_within_clusters_buys_no_certainty() -> None:
    first, second = answers(9, 2, 40)
    keys = np.repeat(np.arange(40), 5).tolist()
    once = paired_comparison(first, second, binary=True, seed=1, clusters=list(range(40)))
    many = paired_comparison(
        np.repeat(first, 5), np.repeat(second, 5), binary=True, seed=1, clusters=keys
    )
    assert many.difference.value == once.difference.value
    assert limits(many.difference) == pytest.approx(limits(once.difference), abs=0.02)
    assert many.p_value == pytest.approx(once.p_value, abs=0.01)
    assert many.difference.n_clusters == 40


def test_the_permutation_test_equals_scipy() -> None:
    random = np.random.default_rng(4)
    first = random.normal(size=9)
    second = first + random.normal(0.4, 1, size=9)
    theirs = stats.permutation_test(
        (first, second), lambda x, y: np.mean(y - x), permutation_type="samples", n_resamples=np.inf
    )
    ours = permutation_test(first, second, seed=0)
    assert ours.method == "sign-flip exact"
    assert ours.p_value == pytest.approx(theirs.pvalue)


@given(flips(most=7))
def test_flipping_signs_of_binary_values_is_mcnemar(given: tuple[int, int, int]) -> None:
    gained, lost, n = given
    flipped = permutation_test(*answers(gained, lost, n), seed=0)
    assert flipped.p_value == pytest.approx(mcnemar(gained, lost, method="exact").p_value)


def test_random_flips_come_near_all_flips_and_never_give_zero() -> None:
    gained, lost, n = 20, 8, 60
    sampled = permutation_test(*answers(gained, lost, n), seed=0)
    assert sampled.p_value == pytest.approx(mcnemar(20, 8, method="exact").p_value, abs=0.004)
    assert permutation_test(np.zeros(100), np.ones(100), seed=0).p_value == pytest.approx(
        1 / 20_001
    )


def test_one_call_says_all_about_a_binary_metric() -> None:
    comparison = paired_comparison(*answers(30, 10, 120), binary=True, seed=1)
    assert (comparison.n_higher, comparison.n_lower, comparison.n_equal) == (30, 10, 80)
    assert comparison.n_discordant == 40
    assert comparison.difference.method == "Tango"
    assert comparison.difference.value == pytest.approx(20 / 120)
    assert comparison.test == "McNemar mid-p"
    assert comparison.p_value < 0.01
    assert comparison.detectable == pytest.approx(2.8 * np.sqrt(40 / 120 / 120), rel=0.03)
    assert comparison.as_dict()["difference"]["n"] == 120


def test_one_call_says_all_about_a_continuous_metric() -> None:
    random = np.random.default_rng(8)
    first = random.uniform(0, 100, 60)
    second = np.minimum(first + random.normal(12, 10, 60), 100)
    comparison = paired_comparison(first, second, binary=False, seed=1, unit="points")
    assert comparison.difference.method == "BCa bootstrap"
    assert comparison.difference.unit == "points"
    assert comparison.difference.excludes(0.0)
    assert comparison.test == "sign-flip permutation"
    assert comparison.p_value < 0.01
    assert comparison == paired_comparison(first, second, binary=False, seed=1, unit="points")


@pytest.mark.parametrize("binary", [True, False])
def test_the_same_answers_do_not_differ(binary: bool) -> None:
    same = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    comparison = paired_comparison(same, same, binary=binary, seed=1)
    assert comparison.p_value == 1.0
    assert comparison.difference.value == 0
    assert not comparison.difference.excludes(0.0)
    assert comparison.detectable is None


def test_values_that_do_not_pair_are_an_error() -> None:
    with pytest.raises(StatisticsError, match="3 values cannot be paired with 2"):
        paired_comparison([1, 0, 1], [1, 0], binary=True, seed=0)
    with pytest.raises(StatisticsError, match="Binary values are 0 or 1"):
        paired_comparison([0.5, 0], [1, 0], binary=True, seed=0)
