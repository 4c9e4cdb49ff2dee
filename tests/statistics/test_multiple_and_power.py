from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, t

from tuneval.errors import StatisticsError
from tuneval.statistics.mcnemar import mcnemar, mcnemar_power
from tuneval.statistics.multiple import holm
from tuneval.statistics.power import (
    EXACT_UP_TO,
    items_needed,
    items_needed_for_mean,
    smallest_detectable_difference,
    smallest_detectable_mean_difference,
)


def test_holm_equals_the_worked_example() -> None:
    # Holm's procedure by hand: 4 * 0.005, 3 * 0.01, 2 * 0.03, and 0.04 raised to the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_no_correction_and_bonferroni(p_values: list[float]) -> None:
    adjusted = np.array(holm(p_values))
    raw = np.array(p_values)
    assert (adjusted >= raw).all()
    assert (adjusted <= np.minimum(1, raw * len(raw)) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(raw, kind="stable")]) >= 0).all()


def test_holm_refuses_what_is_no_probability() -> None:
    with pytest.raises(StatisticsError, match="between 0 and 1"):
        holm([0.2, 1.2])


def test_items_needed_equal_the_worked_example() -> None:
    # Chow, Shao, Wang: Sample Size Calculations in Clinical Research, McNemar's test:
    # shares 0.2 and 0.5 discordant each way, 80% power, level 95%: 59 pairs.
    assert items_needed(0.3, discordance=0.7) == 59


def test_the_smallest_difference_is_near_the_rule_of_thumb() -> None:
    for n, discordance in ((200, 0.2), (1_000, 0.2), (12_000, 0.2)):
        rule = 2.8 * np.sqrt(discordance / n)
        exact = smallest_detectable_difference(n, discordance=discordance)
        assert exact == pytest.approx(rule, rel=0.02)


@given(st.integers(20, 20_000), st.floats(0.05, 0.9), st.sampled_from([0.5, 0.8, 0.95]))
def test_smallest_difference_and_items_needed_are_inverse(
    n: int, discordance: float, power: float
) -> None:
    difference = smallest_detectable_difference(n, discordance=discordance, power=power)
    if difference is None:
        assert items_needed(discordance, discordance=discordance, power=power) > n
    else:
        needed = items_needed(difference, discordance=discordance, power=power)
        # Flips come whole: fewer items may happen to be enough too, and many go by a formula.
        assert needed <= n + 1 or needed > EXACT_UP_TO
        again = smallest_detectable_difference(needed, discordance=discordance, power=power)
        assert again == pytest.approx(difference, rel=0.05)


def test_mcnemar_finds_the_smallest_difference_as_often_as_promised() -> None:
    n, discordance = 400, 0.2
    difference = smallest_detectable_difference(n, discordance=discordance)
    assert difference is not None
    gain, loss = (discordance + difference) / 2, (discordance - difference) / 2
    draws = np.random.default_rng(6).multinomial(n, [gain, loss, 1 - discordance], size=3_000)
    found = np.mean([mcnemar(*map(int, draw[:2])).p_value < 0.05 for draw in draws])
    assert found == pytest.approx(0.8, abs=0.03)


def test_too_few_items_can_show_nothing() -> None:
    assert smallest_detectable_difference(5, discordance=0.2) is None
    assert smallest_detectable_difference(500, discordance=0.0) is None


def test_mcnemars_power_is_the_sum_over_all_outcomes() -> None:
    def by_hand(n: int, discordance: float, difference: float) -> float:
        share = (1 + difference / discordance) / 2
        return sum(
            binom.pmf(m, n, discordance)
            * sum(binom.pmf(k, m, share) for k in range(m + 1) if mcnemar(k, m - k).p_value < 0.05)
            for m in range(1, n + 1)
        )

    for n, discordance, difference in ((40, 0.3, 0.2), (20, 0.7, 0.5), (60, 1.0, 0.3)):
        found = mcnemar_power(n, discordance=discordance, difference=difference)
        assert found == pytest.approx(by_hand(n, discordance, difference), abs=1e-9)


def test_for_few_items_it_takes_more_than_connors_formula_says() -> None:
    # Connor (1987) for 20 items, half of them flipped: 0.417, which is found in 75% only.
    assert mcnemar_power(20, discordance=0.5, difference=0.417) == pytest.approx(0.753, abs=1e-3)
    size = smallest_detectable_difference(20, discordance=0.5)
    assert size is not None
    assert size > 0.43
    assert mcnemar_power(20, discordance=0.5, difference=size) == pytest.approx(0.8, abs=1e-4)


@pytest.mark.parametrize("freedom", [2, 4, 9, 60])
def test_a_t_test_finds_the_smallest_mean_as_often_as_promised(freedom: int) -> None:
    size = smallest_detectable_mean_difference(1.0, freedom)
    random, rounds = np.random.default_rng(freedom), 40_000
    seen = random.normal(size, 1, rounds) / np.sqrt(random.chisquare(freedom, rounds) / freedom)
    found = (np.abs(seen) > t.ppf(0.975, freedom)).mean()
    assert found == pytest.approx(0.8, abs=0.01)


def test_power_for_means_is_the_normal_formula_for_many_items() -> None:
    assert smallest_detectable_mean_difference(1.0) == pytest.approx(2.8016, abs=1e-4)
    assert smallest_detectable_mean_difference(1.0, 4_000) == pytest.approx(2.8016, abs=2e-3)
    # (1.960 + 0.842)^2 / 0.25 is 31.4, and Student's t asks for two more: 34 (Cohen 1988).
    assert items_needed_for_mean(0.5, standard_deviation=1.0) == 34
    assert items_needed_for_mean(0.02, standard_deviation=1.0) == 19_623


def test_impossible_questions_are_errors() -> None:
    with pytest.raises(StatisticsError, match="cannot be with a discordance"):
        items_needed(0.3, discordance=0.2)
    with pytest.raises(StatisticsError, match="power"):
        items_needed(0.1, discordance=0.2, power=1.0)
    with pytest.raises(StatisticsError, match="items can show nothing"):
        smallest_detectable_difference(0, discordance=0.2)
