"""Several models beside one another: tied sets, corrected together, and never a false order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from tuneval.errors import UsageError
from tuneval.evaluation.comparing.compare import compare
from tuneval.evaluation.comparing.compare_several import compare_several, renamed
from tuneval.evaluation.comparing.comparison import Evaluation
from tuneval.statistics.mcnemar import mcnemar
from tuneval.statistics.multiple import holm
from tuneval.statistics.paired import tango


def answers(n_right: int, n: int = 60) -> list[str]:
    return ["right"] * n_right + ["wrong"] * (n - n_right)


@pytest.fixture
def three(make_evaluation):
    return [make_evaluation(name, answers(n)) for name, n in [("a", 20), ("b", 24), ("c", 58)]]


def test_those_that_cannot_be_told_apart_are_tied(three):
    found = compare_several(three, metrics=["exact_match"])
    standings = found.standings["exact_match"]
    assert [(s.name, s.best_rank, s.worst_rank, s.sets) for s in standings] == [
        ("c", 1, 1, "a"),
        ("b", 2, 3, "b"),
        ("a", 2, 3, "b"),
    ]
    assert found.best("exact_match") == ("c",)


def test_equal_models_all_may_be_the_best(make_evaluation):
    found = compare_several([make_evaluation(n, answers(30)) for n in "xyz"])
    for metric, standings in found.standings.items():
        assert {s.sets for s in standings} == {"a"}
        assert found.best(metric) == ("x", "y", "z")


def test_p_is_adjusted_for_all_metrics_of_all_pairs(three):
    found = compare_several(three, metrics=["exact_match", "bleu-4"])
    assert list(found.pairs) == ["a → b", "a → c", "b → c"]
    rows = [row for pair in found.pairs.values() for row in pair.rows]
    assert len(rows) == 6
    assert [row.p_holm for row in rows] == holm([row.p_value for row in rows])


def test_a_difference_that_many_comparisons_may_bring_is_no_order(make_evaluation):
    a, b, c = (make_evaluation(name, answers(n)) for name, n in [("a", 20), ("b", 26), ("c", 26)])
    row = compare(a, b, metrics=["exact_match"]).row("exact_match")
    assert row.verdict == "better"
    assert row.p_value == pytest.approx(2 * 0.5**6)
    found = compare_several([a, b, c], metrics=["exact_match"])
    assert {s.sets for s in found.standings["exact_match"]} == {"a"}


def test_for_perplexity_the_lowest_stands_first(make_evaluation):
    made = make_evaluation("m", answers(30))
    low, high = (
        replace(
            renamed(made, name),
            items=[
                replace(item, teacher_forced=replace(item.teacher_forced, nll=middle + n / 60))
                for n, item in enumerate(made.items)
            ],
        )
        for name, middle in [("low", 2.0), ("high", 8.0)]
    )
    standings = compare_several([high, low]).standings["response_perplexity"]
    assert [(s.name, s.best_rank, s.worst_rank) for s in standings] == [
        ("low", 1, 1),
        ("high", 2, 2),
    ]


def test_two_independent_groups_show_nothing(make_evaluation):
    groups = ["g"] * 30 + ["h"] * 30
    low, high = (make_evaluation(n, answers(r), groups=groups) for n, r in [("l", 0), ("h", 45)])
    row = compare(low, high, metrics=["bleu-4"]).row("bleu-4")
    assert row.difference.excludes(0.0), "resampling two groups of gains gives only gains"
    assert row.p_value == 0.5
    assert row.verdict == "unclear"
    assert {s.sets for s in compare_several([low, high]).standings["bleu-4"]} == {"a"}


def test_a_pair_alone_is_compared_as_ever(three):
    (pair,) = compare_several(three[:2]).pairs.values()
    assert pair == compare(*three[:2])


def test_standings_show_figures_over_the_items_that_all_have(make_evaluation):
    a = make_evaluation("a", answers(30), metrics=["exact_match"])
    b = make_evaluation("b", answers(20), metrics=["exact_match"])
    c = make_evaluation("c", answers(10, 20), metrics=["exact_match"])
    for order in ([a, b, c], [c, b, a], [b, a, c]):
        found = compare_several(order, metrics=["exact_match"])
        assert found.pairs[f"{order[0].result.name} → {order[1].result.name}"].n_items in (20, 60)
        values = {each.name: each.value for each in found.standings["exact_match"]}
        assert values == {"a": 1.0, "b": 1.0, "c": 0.5}, "over the first 20 of 60"


def test_names_tell_evaluations_apart(three):
    with pytest.raises(UsageError, match="a name of its own"):
        compare_several([three[0], three[0]])
    assert compare_several([three[0], renamed(three[0], "again")]).names == ("a", "again")


def test_equal_models_are_hardly_ever_told_apart_and_five_points_of_1000_items_are_found():
    """What a verdict promises, summed over all outcomes: at most 5% and at least 80%.

    Two models disagree on 12% of 1000 items. Where the second is 5 points better, it gains 8.5%
    and loses 3.5%.
    """
    n = 1000

    def told_apart(gained: float, lost: float) -> float:
        chance = 0.0
        for g in range(*_likely(n, gained)):
            for less in range(*_likely(n - g, lost / (1 - gained))):
                if mcnemar(g, less).p_value < 0.05 and tango(g, less, n).excludes(0.0):
                    of_losses = binom.pmf(less, n - g, lost / (1 - gained))
                    chance += binom.pmf(g, n, gained) * of_losses
        return chance

    assert told_apart(0.06, 0.06) <= 0.05
    assert told_apart(0.085, 0.035) >= 0.8


def _likely(n: int, chance: float) -> tuple[int, int]:
    """The outcomes that are not rarer than one in a million at either end."""
    return int(binom.ppf(1e-6, n, chance)), int(binom.ppf(1 - 1e-6, n, chance)) + 1


def test_a_simulation_over_whole_evaluations_finds_the_same(make_evaluation):
    random = np.random.default_rng(20)
    made = make_evaluation("m", ["right"] * 1000, metrics=["exact_match"])
    rounds, told = 60, {0.06: 0, 0.085: 0}
    for gained in told:
        for _ in range(rounds):
            draws, right = random.random(1000), random.random(1000) < 0.6
            flips, gains = draws < 0.12, draws < gained
            first, second = np.where(flips, ~gains, right), np.where(flips, gains, right)
            a, b = graded(made, first), graded(made, second)
            verdict = compare(a, b, metrics=["exact_match"]).row("exact_match").verdict
            told[gained] += verdict != "unclear"
    assert told[0.06] <= binom.ppf(0.999, rounds, 0.05)
    assert told[0.085] >= binom.ppf(0.001, rounds, 0.85)


def graded(evaluation: Evaluation, right) -> Evaluation:
    items = [
        replace(item, grades={"exact_match": float(each)})
        for item, each in zip(evaluation.items, right, strict=True)
    ]
    return replace(evaluation, items=items)
