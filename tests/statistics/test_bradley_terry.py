"""Strengths equal a published fit, and their intervals cover."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tuneval.errors import StatisticsError
from tuneval.statistics.bradley_terry import Game, bradley_terry

# American League 1987, wins of the row over the column: Agresti, "Categorical Data Analysis", 10.6.
TEAMS = ["Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore"]
WINS = [
    [0, 7, 9, 7, 7, 9, 11],
    [6, 0, 7, 5, 11, 9, 9],
    [4, 6, 0, 7, 7, 8, 12],
    [6, 8, 6, 0, 6, 7, 10],
    [6, 2, 6, 7, 0, 7, 12],
    [4, 4, 5, 6, 6, 0, 6],
    [2, 4, 1, 3, 1, 7, 0],
]
LEAGUE = [
    Game(TEAMS[i], TEAMS[j], 1.0)
    for i, row in enumerate(WINS)
    for j, count in enumerate(row)
    for _ in range(count)
]


def test_strengths_equal_the_published_fit() -> None:
    # Turner and Firth (2012), "Bradley-Terry models in R": baseball1, beside Baltimore.
    published = {
        "Boston": 1.1077, "Cleveland": 0.6839, "Detroit": 1.4364, "Milwaukee": 1.5814,
        "New York": 1.2476, "Toronto": 1.2945,
    }  # fmt: skip
    found = bradley_terry(LEAGUE)
    ours = {team: found.difference(team, "Baltimore").value for team in published}
    assert ours == pytest.approx(published, abs=5e-5)
    assert sum(found.strengths) == pytest.approx(0, abs=1e-12)
    assert found.names[0] == "Milwaukee"
    # Their standard error of Milwaukee beside Baltimore, from the information: 0.3433.
    beside = found.difference("Milwaukee", "Baltimore")
    assert (beside.high - beside.low) / 2 / 1.97 == pytest.approx(0.3433, rel=0.05)


def test_zermelos_iteration_comes_to_the_same_with_ties_as_half_a_win() -> None:
    random = np.random.default_rng(1)
    games = [
        Game(f"m{i}", f"m{j}", float(random.choice([0.0, 0.5, 1.0])))
        for i, j in random.integers(0, 5, (300, 2))
        if i != j
    ]
    wins = dict.fromkeys((f"m{n}" for n in range(5)), 0.0)
    for game in games:
        wins[game.first] += game.score
        wins[game.second] += 1 - game.score
    ability = dict.fromkeys(wins, 1.0)
    for _ in range(2_000):
        ability = {
            name: wins[name]
            / sum(
                1 / (ability[game.first] + ability[game.second])
                for game in games
                if name in (game.first, game.second)
            )
            for name in wins
        }
    middle = math.exp(np.mean([math.log(each) for each in ability.values()]))
    found = dict(zip(*(lambda b: (b.names, b.strengths))(bradley_terry(games)), strict=True))
    assert found == pytest.approx({n: math.log(a / middle) for n, a in ability.items()}, abs=1e-6)


def test_two_competitors_have_the_odds_of_their_games() -> None:
    found = bradley_terry([Game("a", "b", 1.0)] * 30 + [Game("b", "a", 1.0)] * 10)
    assert found.difference("a", "b").value == pytest.approx(math.log(3))
    ratings = found.ratings()
    assert ratings["a"] - ratings["b"] == pytest.approx(400 * math.log10(3))
    assert found.p_value("a", "b") < 0.01


def test_games_of_one_prompt_are_not_independent() -> None:
    games = [Game("a", "b", score) for score in (1.0, 1.0, 1.0, 0.0) for _ in range(10)]
    prompts = [number // 10 for number in range(40)]
    alone, together = bradley_terry(games), bradley_terry(games, clusters=prompts)
    assert together.n_independent == 4
    assert together.difference("a", "b").value == alone.difference("a", "b").value
    wide, narrow = (b.difference("a", "b") for b in (together, alone))
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


def test_the_interval_of_a_difference_covers_it() -> None:
    random = np.random.default_rng(5)
    true = {"a": 0.5, "b": 0.0, "c": -0.5}
    rounds, covered = 400, 0
    for _ in range(rounds):
        games = []
        for first, second in (("a", "b"), ("b", "c"), ("a", "c")):
            chance = 1 / (1 + math.exp(true[second] - true[first]))
            games += [Game(first, second, float(random.random() < chance)) for _ in range(40)]
        found = bradley_terry(games).difference("a", "c")
        covered += found.low <= 1.0 <= found.high
    assert covered / rounds == pytest.approx(0.95, abs=0.03)


def test_who_only_wins_has_no_finite_strength() -> None:
    with pytest.raises(StatisticsError, match="2 groups without both a win and a loss"):
        bradley_terry([Game("a", "b", 1.0), Game("b", "c", 1.0), Game("c", "b", 1.0)])
    with pytest.raises(StatisticsError, match="2 groups"):
        bradley_terry([Game("a", "b", 0.5), Game("c", "d", 0.5)])
    with pytest.raises(StatisticsError, match="against itself"):
        bradley_terry([Game("a", "a", 1.0), Game("a", "b", 0.5)])
