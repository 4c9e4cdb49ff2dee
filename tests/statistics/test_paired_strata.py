"""A difference of macro averages is compared as such: its mean, its interval and its test."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import t

from tuneval.statistics.paired import paired_comparison
from tuneval.statistics.paired_strata import paired_strata_comparison
from tuneval.statistics.stratified import stratified_mean

ALIKE = {"law": 1.0, "art": 1.0}


def compared(a, b, strata, *, binary=False, weights=ALIKE, **words):
    return paired_strata_comparison(a, b, strata, weights=weights, binary=binary, seed=1, **words)


def test_the_difference_is_that_of_the_two_averages_and_its_error_that_of_the_strata():
    rng = np.random.default_rng(1)
    strata = ["law"] * 6 + ["art"] * 30
    a, b = rng.normal(0, 1, 36), rng.normal(0.5, 1, 36)
    found = compared(a, b, strata)
    averages = [stratified_mean(side, strata, weights=ALIKE).value for side in (a, b)]
    assert found.difference.value == pytest.approx(averages[1] - averages[0])
    change = b - a
    parts = [(change[:6].var(ddof=1) / 6 / 4, 5), (change[6:].var(ddof=1) / 30 / 4, 29)]
    variance = sum(part for part, _ in parts)
    freedom = variance**2 / sum(part**2 / (n + 2) for part, n in parts) - 2
    reach = t.ppf(0.975, freedom) * variance**0.5
    assert found.difference.high - found.difference.value == pytest.approx(reach)
    assert found.difference.method == "stratified Student t"


def test_a_flip_counts_as_much_as_it_weighs_and_mcnemar_does_not_see_that():
    strata = ["law"] * 4 + ["art"] * 40
    a = np.zeros(44)
    b = np.concatenate([np.zeros(4), np.ones(6), np.zeros(34)])
    b[:4] = 1.0
    a[10:20] = 1.0  # ten lost in the large subject, six won there, all four of the small one
    found = compared(a, b, strata, binary=True)
    assert found.difference.value == pytest.approx((1 + (6 - 10) / 40) / 2)
    assert (found.n_higher, found.n_lower, found.n_equal) == (10, 10, 24)
    assert paired_comparison(a, b, binary=True, seed=1).p_value > 0.9
    assert found.test.startswith("sign-flip")
    assert "McNemar counts items alike" in found.test


def test_the_test_swaps_weighted_items():
    # Three items of weights 3, 1, 1 of which all went up: only 2 of 8 swaps are as extreme.
    found = compared(
        [0, 0, 0], [1, 1, 1], ["law", "art", "art"], binary=True, weights={"law": 3, "art": 2}
    )
    assert found.p_value == pytest.approx(2 / 8)
    # Four up that weigh three times as much as the four down: every swap of signs, by hand.
    strata = ["law"] * 4 + ["art"] * 4
    a, b = [0] * 4 + [1] * 4, [1] * 4 + [0] * 4
    heavy = compared(a, b, strata, binary=True, weights={"law": 3, "art": 1})
    sums = [3 * sum(signs[:4]) + sum(signs[4:]) for signs in itertools.product((-1, 1), repeat=8)]
    extreme = sum(abs(each) >= 3 * 4 - 4 for each in sums) / len(sums)
    assert heavy.p_value == pytest.approx(extreme)
    assert 0.1 < extreme < 0.6
    assert compared(a, b, strata, binary=True).p_value == 1


def test_with_one_stratum_it_is_the_plain_comparison():
    rng = np.random.default_rng(2)
    a = (rng.random(200) < 0.5).astype(float)
    b = (rng.random(200) < 0.65).astype(float)
    ours = compared(a, b, ["law"] * 200, binary=True, weights={"law": 1})
    theirs = paired_comparison(a, b, binary=True, seed=1)
    assert ours.difference.value == pytest.approx(theirs.difference.value)
    assert ours.difference.low == pytest.approx(theirs.difference.low, abs=0.002)
    assert ours.p_value == pytest.approx(theirs.p_value, abs=0.01)


def test_items_of_one_passage_count_as_one_draw():
    rng = np.random.default_rng(3)
    passages = np.repeat(np.arange(40), 5)
    change = np.repeat(rng.normal(0, 1, 40), 5)
    strata = ["law" if n < 20 else "art" for n in passages]
    alone = compared(np.zeros(200), change, strata)
    together = compared(np.zeros(200), change, strata, clusters=passages.tolist())
    width = [each.difference.high - each.difference.low for each in (alone, together)]
    assert width[1] == pytest.approx(5**0.5 * width[0], rel=0.1)
    assert together.difference.n_clusters == 40
    assert together.p_value > alone.p_value


def test_where_nothing_flips_there_is_an_interval_still():
    same = np.array([1.0, 0.0] * 10)
    found = compared(same, same, ["law"] * 8 + ["art"] * 12, binary=True)
    assert found.difference.low < 0 < found.difference.high
    assert found.p_value == 1
    assert compared([0.5], [0.7], ["law"], weights={"law": 1}).difference.low is None


def test_equal_models_are_hardly_ever_told_apart():
    rng = np.random.default_rng(4)
    strata = ["law"] * 10 + ["art"] * 60 + ["sums"] * 25
    weights = dict.fromkeys(("law", "art", "sums"), 1.0)
    rounds, told, refused = 500, 0, 0
    for _ in range(rounds):
        chance = rng.random(95)
        a, b = ((rng.random(95) < chance).astype(float) for _ in range(2))
        found = paired_strata_comparison(a, b, strata, weights=weights, binary=True, seed=1)
        told += found.difference.excludes(0.0) and found.p_value < 0.05
        refused += found.p_value < 0.05
    assert told / rounds <= 0.07
    assert refused / rounds <= 0.07
