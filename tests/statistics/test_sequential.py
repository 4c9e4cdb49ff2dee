"""Looking after every item is allowed: false alarms stay rare, and the interval always holds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betaln

from tuneval.errors import StatisticsError
from tuneval.statistics.mcnemar import mcnemar
from tuneval.statistics.sequential import sequential_comparison


def paired_answers(random, n, *, gained, lost):
    draws = random.random(n)
    return np.where(draws < gained, 1.0, np.where(draws < gained + lost, -1.0, 0.0))


def test_equal_models_are_hardly_ever_told_apart_however_often_one_looks() -> None:
    random = np.random.default_rng(1)
    rounds, false_alarms, by_mcnemar = 400, 0, 0
    for _ in range(rounds):
        changes = paired_answers(random, 600, gained=0.15, lost=0.15)
        false_alarms += sequential_comparison(changes, bound=1).verdict != "undecided"
        gained, lost = (changes > 0).cumsum(), (changes < 0).cumsum()
        by_mcnemar += any(
            mcnemar(int(gained[n]), int(lost[n])).p_value < 0.05 for n in range(9, 600, 10)
        )
    assert false_alarms / rounds <= 0.05
    assert by_mcnemar / rounds > 0.15, "looking often at a test for one look goes wrong"


def test_a_clear_difference_is_decided_early() -> None:
    random = np.random.default_rng(2)
    found = [
        sequential_comparison(paired_answers(random, 1000, gained=0.25, lost=0.1), bound=1)
        for _ in range(100)
    ]
    assert {each.verdict for each in found} == {"higher"}
    assert np.mean([each.decided_after for each in found]) < 300


def test_the_interval_holds_at_any_time() -> None:
    random = np.random.default_rng(3)
    rounds, missed = 120, 0
    for _ in range(rounds):
        changes = random.beta(2, 3, 400) - random.beta(2, 4, 400)
        true = 2 / 5 - 2 / 6
        missed += any(
            sequential_comparison(changes[:n], bound=1).difference.excludes(true)
            for n in (5, 10, 20, 40, 80, 160, 400)
        )
    assert missed / rounds <= 0.05


def test_for_flips_the_evidence_is_about_the_beta_binomial_one() -> None:
    changes = np.array([1.0] * 30 + [-1.0] * 8 + [0.0] * 200)
    np.random.default_rng(4).shuffle(changes)
    found = sequential_comparison(changes, bound=1)
    # Uniform mixture over the share of gains among flips, against one half.
    gained, lost = (changes > 0).cumsum(), (changes < 0).cumsum()
    log_evidence = betaln(1 + gained, 1 + lost) - (gained + lost) * np.log(0.5)
    assert np.log(found.p_value) == pytest.approx(-log_evidence.max(), abs=0.7)


def test_the_other_way_round_is_lower_and_a_small_margin_of_nothing_is_alike() -> None:
    random = np.random.default_rng(5)
    changes = paired_answers(random, 800, gained=0.05, lost=0.2)
    found = sequential_comparison(changes, bound=1)
    assert found.verdict == "lower"
    assert found.difference.high < 0
    alike = sequential_comparison(
        paired_answers(random, 3000, gained=0.02, lost=0.02), bound=1, margin=0.05
    )
    assert alike.verdict == "alike"
    assert alike.decided_after < 3000


def test_a_cluster_counts_as_one_draw() -> None:
    changes = np.repeat([1.0, 1.0, 1.0, -1.0, 1.0], 20)
    alone = sequential_comparison(changes, bound=1)
    together = sequential_comparison(changes, bound=1, clusters=np.repeat(range(5), 20).tolist())
    assert alone.verdict == "higher"
    assert together.verdict == "undecided"
    assert together.difference.n_clusters == 5
    assert together.difference.value == pytest.approx(0.6)


def test_points_of_a_hundred_are_the_same_as_shares() -> None:
    random = np.random.default_rng(6)
    shares = random.uniform(-0.3, 0.5, 200)
    one = sequential_comparison(shares, bound=1)
    other = sequential_comparison(100 * shares, bound=100, unit="points")
    assert (other.verdict, other.decided_after) == (one.verdict, one.decided_after)
    assert other.difference.low == pytest.approx(100 * one.difference.low)


def test_a_change_beyond_its_bound_is_refused() -> None:
    with pytest.raises(StatisticsError, match="beyond the bound"):
        sequential_comparison([0.5, 2.0], bound=1)


def grouped(random, n_groups: int, *, effect: float = 0.0):
    """Changes of groups of very unequal size that hang together, the large ones rare and late."""
    sizes = np.where(random.random(n_groups) < 0.05, 40, random.integers(1, 6, n_groups))
    leaning = random.random(n_groups)
    changes = np.concatenate(
        [
            np.where(
                random.random(size) < 0.8,
                1.0 if lean < 0.5 + effect else -1.0,
                0.0,
            )
            for size, lean in zip(sizes, leaning, strict=True)
        ]
    )
    return changes, np.repeat(np.arange(n_groups), sizes).tolist()


def test_groups_of_unequal_size_raise_no_more_false_alarms() -> None:
    random = np.random.default_rng(8)
    rounds, false_alarms = 400, 0
    for _ in range(rounds):
        changes, groups = grouped(random, 200)
        found = sequential_comparison(changes, bound=1, clusters=groups, largest=40)
        false_alarms += found.verdict != "undecided"
    assert false_alarms / rounds <= 0.05


def test_what_is_decided_does_not_hang_on_what_comes_later() -> None:
    random = np.random.default_rng(9)
    changes, groups = grouped(random, 300, effect=0.3)
    whole = sequential_comparison(changes, bound=1, clusters=groups, largest=40)
    assert whole.verdict == "higher"
    upto = sequential_comparison(
        changes[: whole.decided_after], bound=1, clusters=groups[: whole.decided_after], largest=40
    )
    assert upto.decided_after == whole.decided_after == upto.n
    before = len([group for group in groups[: whole.decided_after] if group != groups[upto.n - 1]])
    short = sequential_comparison(changes[:before], bound=1, clusters=groups[:before], largest=40)
    assert short.verdict == "undecided"
    with pytest.raises(StatisticsError, match="was to be the largest"):
        sequential_comparison(changes, bound=1, clusters=groups, largest=5)


def test_the_interval_of_unequal_groups_holds_at_any_time() -> None:
    random = np.random.default_rng(10)
    rounds, missed = 100, 0
    for _ in range(rounds):
        changes, groups = grouped(random, 120, effect=0.2)
        ends = np.flatnonzero(np.diff([*groups, -1])) + 1
        missed += any(
            sequential_comparison(
                changes[:end], bound=1, clusters=groups[:end], largest=40
            ).difference.excludes(0.8 * 0.4)
            for end in ends[9::22]
        )
    assert missed / rounds <= 0.05


def test_weights_follow_the_weighted_mean() -> None:
    random = np.random.default_rng(11)
    # A tenth of the items stand for half of the figure: a macro average over two subjects.
    heavy = random.random(1500) < 0.1
    won = random.random(1500)
    changes = np.where(heavy, (won < 0.6) * 1.0, (won < 0.1) * -1.0)
    weights = np.where(heavy, 5.0, 0.5 / 0.9)
    found = sequential_comparison(changes, bound=1, weights=weights, largest=5.0)
    assert found.verdict == "higher"
    assert found.difference.value == pytest.approx((0.6 - 0.1) / 2, abs=0.04)
    assert found.difference.low < (0.6 - 0.1) / 2 < found.difference.high
    assert sequential_comparison(changes, bound=1).difference.value < 0


def test_alike_before_a_difference_is_alike() -> None:
    changes = np.concatenate([np.zeros(400), np.ones(100)])
    assert sequential_comparison(changes, bound=1).verdict == "higher"
    found = sequential_comparison(changes, bound=1, margin=0.1)
    assert found.verdict == "alike"
    assert found.decided_after <= 400
