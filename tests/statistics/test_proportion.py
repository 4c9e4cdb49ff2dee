from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from tuneval.errors import StatisticsError
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.proportion import clopper_pearson, clustered_wilson, wilson


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(1, 5_000))
    return draw(st.integers(0, n)), n


def limits(estimate: Estimate) -> tuple[float, float]:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low, estimate.high


@given(counts(), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_wilson_and_clopper_pearson_equal_scipy(given: tuple[int, int], level: float) -> None:
    successes, n = given
    test = binomtest(successes, n)
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        estimate = ours(successes, n, level=level)
        theirs = test.proportion_ci(level, method=method)
        assert (estimate.low, estimate.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17:857, table I, method 3 (score).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (29, 29, 0.8830, 1)],
)
def test_wilson_equals_the_worked_examples(successes: int, n: int, low: float, high: float) -> None:
    estimate = wilson(successes, n)
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=5e-5)


@given(counts())
def test_wilson_contains_the_share_and_stays_inside_zero_and_one(given: tuple[int, int]) -> None:
    estimate = wilson(*given)
    low, high = limits(estimate)
    assert 0 <= low <= estimate.value <= high <= 1
    assert high > low


def test_clopper_pearson_never_covers_less_than_promised() -> None:
    for n in (5, 12, 40):
        intervals = [clopper_pearson(k, n) for k in range(n + 1)]
        for share in np.linspace(0.01, 0.99, 99):
            covering = [k for k, e in enumerate(intervals) if not e.excludes(share)]
            assert binom.pmf(covering, n, share).sum() >= 0.95


def test_a_share_of_no_items_is_an_error() -> None:
    with pytest.raises(StatisticsError, match="0 items"):
        wilson(0, 0)
    with pytest.raises(StatisticsError, match="5 successes of 4"):
        clopper_pearson(5, 4)


def test_clusters_of_one_item_give_nearly_the_plain_interval() -> None:
    answers = np.random.default_rng(3).integers(0, 2, 400)
    plain, clustered = wilson(int(answers.sum()), 400), clustered_wilson(answers)
    assert (clustered.low, clustered.high) == pytest.approx((plain.low, plain.high), abs=2e-3)


def test_items_repeated_in_clusters_are_worth_no_more_than_the_clusters() -> None:
    answers = np.random.default_rng(3).integers(0, 2, 60)
    once = clustered_wilson(answers)
    tenfold = clustered_wilson(
        np.repeat(answers, 10), clusters=np.repeat(np.arange(60), 10).tolist()
    )
    assert (tenfold.low, tenfold.high) == pytest.approx((once.low, once.high))
    assert (tenfold.n, tenfold.n_clusters) == (600, 60)


@pytest.mark.parametrize("share", [0.9, 0.6])
def test_the_clustered_interval_covers_where_the_plain_one_does_not(share: float) -> None:
    random = np.random.default_rng(11)
    n_clusters, size, rounds = 30, 8, 400
    keys = np.repeat(np.arange(n_clusters), size).tolist()
    covered = covered_plain = 0
    for _ in range(rounds):
        # Beta-binomial clusters: correlation within a cluster 1 / (1 + 2) = 0.33.
        chances = random.beta(2 * share, 2 * (1 - share), n_clusters)
        answers = random.random((n_clusters, size)) < chances[:, None]
        covered += not clustered_wilson(answers.ravel(), clusters=keys).excludes(share)
        covered_plain += not wilson(int(answers.sum()), answers.size).excludes(share)
    assert covered / rounds >= 0.92
    assert covered_plain / rounds <= 0.85


def test_without_spread_between_clusters_their_number_counts() -> None:
    all_right = clustered_wilson(np.ones(100), clusters=np.repeat(np.arange(10), 10).tolist())
    assert all_right.high == 1
    assert limits(all_right)[0] < limits(wilson(10, 10))[0]


def test_trials_of_one_item_count_together() -> None:
    tokens_right, tokens = [9, 10, 2, 8], [10, 10, 10, 10]
    estimate = clustered_wilson(tokens_right, tokens)
    assert estimate.value == pytest.approx(29 / 40)
    assert estimate.n == 4
    assert limits(estimate)[0] < 0.5
