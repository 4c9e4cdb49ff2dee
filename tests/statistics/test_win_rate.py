"""Mean win rates against a count of pairs, and what an interval of them must do."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tuneval.errors import StatisticsError
from tuneval.statistics.win_rate import Reversal, Scenario, mean_win_rates, reversals


def scenario(*means: float, n: int = 4, higher: bool = True) -> Scenario:
    """Every item of a system has the system's mean."""
    return Scenario(np.repeat(np.array(means)[:, None], n, axis=1), higher)


def by_hand(tables: list[list[float]]) -> list[float]:
    """Pairs won, a tie half, by the others, scenario by scenario."""
    n = len(tables[0])
    rates = np.zeros((len(tables), n))
    for row, table in enumerate(tables):
        for a, b in itertools.permutations(range(n), 2):
            won = 1.0 if table[a] > table[b] else 0.5 if table[a] == table[b] else 0.0
            rates[row, a] += won / (n - 1)
    return list(rates.mean(axis=0))


def test_the_value_is_the_share_of_others_beaten() -> None:
    rng = np.random.default_rng(2)
    tables = [list(rng.choice([0.2, 0.4, 0.6, 0.8], size=5)) for _ in range(4)]
    found = mean_win_rates([scenario(*table) for table in tables], seed=1)
    assert [e.value for e in found] == pytest.approx(by_hand(tables))
    assert all(e.low is None and e.method == "none: no spread" for e in found)
    assert {e.n for e in found} == {4}


def test_lower_wins_where_lower_is_better() -> None:
    first, second = mean_win_rates([scenario(1.0, 2.0, higher=False)], seed=1)
    assert (first.value, second.value) == (1.0, 0.0)


def test_equal_systems_share_every_win_in_every_resample() -> None:
    grades = np.random.default_rng(4).random(30)
    found = mean_win_rates([Scenario(np.stack([grades, grades]))], seed=1)
    assert [(e.value, e.low) for e in found] == [(0.5, None), (0.5, None)]


def test_the_interval_is_that_of_resampled_items() -> None:
    rng = np.random.default_rng(7)
    chances = np.array([[0.6], [0.5], [0.35]])
    scenarios = [(rng.random((3, n)) < chances).astype(float) for n in (30, 50)]
    rows = []
    for _ in range(4000):
        drawn = [g[:, rng.integers(0, g.shape[1], g.shape[1])].mean(axis=1) for g in scenarios]
        rows.append(by_hand([list(means) for means in drawn]))
    low, high = np.quantile(rows, [0.025, 0.975], axis=0)
    found = mean_win_rates([Scenario(grades) for grades in scenarios], seed=3, n_resamples=4000)
    for system, estimate in enumerate(found):
        assert estimate.low == pytest.approx(low[system], abs=0.13)  # one step is 1/8
        assert estimate.high == pytest.approx(high[system], abs=0.13)


def test_two_close_systems_are_not_told_apart_and_two_far_ones_are() -> None:
    rng = np.random.default_rng(9)
    close = (rng.random((2, 50)) < 0.5).astype(float)
    (first, _) = mean_win_rates([Scenario(close)], seed=1)
    assert (first.low, first.high) == (0.0, 1.0)
    far = (rng.random((2, 200)) < [[0.9], [0.2]]).astype(float)
    (first, _) = mean_win_rates([Scenario(far)], seed=1)
    assert (first.value, first.low) == (1.0, None)


def test_clusters_are_drawn_whole() -> None:
    # Ten clusters of forty equal items; the first system wins six of the clusters.
    ahead = np.repeat([1.0] * 6 + [0.0] * 4, 40)
    grades = np.stack([ahead, 1 - ahead])
    clusters = [n // 40 for n in range(400)]
    alone, _ = mean_win_rates([Scenario(grades)], seed=5)
    together, _ = mean_win_rates([Scenario(grades, True, clusters)], seed=5)
    assert alone.low is None  # all resamples agree
    assert (together.low, together.high) == (0.0, 1.0)


def test_an_order_that_turns_round_without_a_third_is_found() -> None:
    # Over two scenarios the first system beats the second by where the third stands.
    tables = [scenario(3, 1, 2), scenario(2, 3, 1), scenario(1, 2, 0)]
    rates = mean_win_rates(tables, seed=1)
    assert rates[0].value == rates[1].value  # even with the third on the list
    tables = [scenario(3, 1, 2)] * 2 + [scenario(2, 3, 1)] + [scenario(1, 2, 0)] * 2
    whole = [e.value for e in mean_win_rates(tables, seed=1)]
    assert whole[0] > whole[1]
    assert Reversal(0, 1, 2) in reversals(tables)
    assert reversals([scenario(3, 2, 1)] * 2) == []


@pytest.mark.parametrize("wrong", [[], [scenario(1.0)], [scenario(1, 2), scenario(1, 2, 3)]])
def test_a_list_without_rivals_is_refused(wrong: list[Scenario]) -> None:
    with pytest.raises(StatisticsError):
        mean_win_rates(wrong, seed=1)
