"""A difference is averaged as the task averages its figures, wherever one is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tuneval.evaluation.comparing.compare import compare
from tuneval.evaluation.comparing.compare_several import compare_several, renamed
from tuneval.evaluation.comparing.comparison import Evaluation
from tuneval.evaluation.comparing.follow import follow
from tuneval.evaluation.comparing.gate import judge, parse_condition
from tuneval.evaluation.comparing.rank_aggregation import aggregate
from tuneval.evaluation.stability.found import RepeatedRuns
from tuneval.evaluation.stability.stability import stability
from tuneval.evaluation.suites.matrix import scenario_matrix


def right(n: int, of: int) -> list[bool]:
    return [place < n for place in range(of)]


@pytest.fixture
def two(of_subjects):
    """Of 4 and 40 questions: 2 and 20 right, then 4 and 16: macro +20 points, micro −4.5."""
    return (
        of_subjects("base", {"law": right(2, 4), "art": right(20, 40)}),
        of_subjects("tuned", {"law": right(4, 4), "art": right(16, 40)}),
    )


def test_the_difference_of_a_macro_average_is_what_the_headlines_differ_by(two):
    row = compare(*two).row("exact_match")
    headlines = [each.result.task.headline().estimate for each in two]
    assert [row.a.value, row.b.value] == pytest.approx([each.value for each in headlines])
    assert row.difference.value == pytest.approx(0.2)
    assert row.over == "subject"
    assert row.difference.method == "stratified Tango"
    assert "weighted (McNemar counts items alike)" in row.test
    assert (row.n_improved, row.n_worsened) == (2, 4)
    assert (row.a.low, row.a.high) == pytest.approx((headlines[0].low, headlines[0].high))


def test_other_metrics_of_the_task_are_averaged_so_too_and_figures_of_the_set_are_not(of_subjects):
    a, b = (
        of_subjects(name, {"law": right(n, 4), "art": right(20, 40)}, metrics=["bleu-4"])
        for name, n in (("a", 0), ("b", 4))
    )
    row = compare(a, b).row("bleu-4")
    assert row.over == "subject"
    assert row.difference.value == pytest.approx(11 * compare_plainly(a, b, "bleu-4") / 2)
    assert compare(a, b).row("response_perplexity").over == "items"


def compare_plainly(a: Evaluation, b: Evaluation, metric: str) -> float:
    plain = [replace(each, result=replace(each.result, task=None)) for each in (a, b)]
    return compare(*plain).row(metric).difference.value


def test_drawn_questions_stand_for_those_that_were_not(of_subjects):
    a, b = (
        of_subjects(
            name,
            {"law": right(n, 10), "art": right(5, 10)},
            macro=False,
            sizes={"law": 10, "art": 90},
        )
        for name, n in (("a", 0), ("b", 10))
    )
    row = compare(a, b).row("exact_match")
    assert row.over == "items"
    assert row.difference.value == pytest.approx(0.1), "a tenth of the task's questions is law"
    assert row.b.value == pytest.approx(0.1 + 0.9 * 0.5)
    assert compare_plainly(a, b, "exact_match") == pytest.approx(0.5)


def test_a_whole_evaluation_beside_a_part_is_weighed_as_the_part_stands_for_the_whole(of_subjects):
    whole = of_subjects("whole", {"law": right(0, 4), "art": right(40, 40)}, macro=False)
    part = of_subjects(
        "part", {"law": right(4, 4), "art": right(4, 4)}, macro=False, sizes={"law": 4, "art": 40}
    )
    kept = [whole.items[n] for n in [0, 1, 2, 3, 4, 5, 6, 7]]
    ids = {item.id for item in part.items}
    assert {item.id for item in kept} == ids
    row = compare(whole, part).row("exact_match")
    assert row.difference.value == pytest.approx(4 / 44)


def test_those_who_average_differently_are_compared_item_by_item_and_it_is_said(of_subjects):
    scores = {"law": right(2, 4), "art": right(20, 40)}
    macro, micro = of_subjects("macro", scores), of_subjects("micro", scores, macro=False)
    found = compare(macro, micro)
    assert found.row("exact_match").over == "items"
    (said,) = [warning for warning in found.warnings if "not averaged alike" in warning]
    assert "'macro' over subject, 'micro' over items" in said
    plain = replace(micro, result=replace(micro.result, task=None, name="macro"))
    assert any("not averaged alike" in w for w in compare(macro, plain).warnings), (
        "alike in name only"
    )


def test_a_subject_without_a_question_that_counts_leaves_no_macro_average(two):
    a, b = two
    unscored = [
        replace(item, grades={}, unscored={"exact_match": "cut"})
        if item.tags["subject"] == "law"
        else item
        for item in b.items
    ]
    found = compare(a, replace(b, items=unscored))
    assert found.row("exact_match").over == "items"
    assert found.row("exact_match").difference.value == pytest.approx(-0.1)
    assert any("no item of law has exact_match on both sides" in w for w in found.warnings)


@pytest.mark.parametrize(
    ("condition", "fails"),
    [
        ("exact_match < base", False),
        ("exact_match > base + 19pt", True),
        ("exact_match > 65%", True),
        ("exact_match > 71%", False),
    ],
)
def test_a_gate_is_held_against_the_tasks_figures(two, condition, fails):
    named = {each.result.name: each for each in two}
    assert judge(parse_condition(condition), named, fails="if").failed is fails


def test_orders_and_standings_are_by_the_tasks_figures(two):
    assert aggregate(two, ["exact_match"]).rows[0].name == "tuned"
    standings = compare_several([*two, renamed(two[0], "again")]).standings["exact_match"]
    assert [each.value for each in standings] == pytest.approx([0.7, 0.5, 0.5])


def test_following_is_of_the_same_figure(of_subjects):
    a = of_subjects("a", {"law": right(0, 60), "art": right(300, 600)})
    b = of_subjects("b", {"law": right(60, 60), "art": right(300, 600)})
    found = follow(a, b, "exact_match")
    assert found.difference.value == pytest.approx(0.5)
    assert found.difference.low < 0.5 < found.difference.high
    assert found.verdict == "higher"


def test_repeated_runs_have_the_tasks_scores_and_the_error_of_its_average(of_subjects):
    random = np.random.default_rng(1)
    runs = {
        f"seed-{n}": of_subjects(
            f"seed-{n}",
            {"law": list(random.random(30) < 0.9), "art": list(random.random(300) < 0.2)},
        )
        for n in range(4)
    }
    (row,) = stability([RepeatedRuns("quiz", "m", "seed", runs)], metrics=["exact_match"]).rows
    headlines = {name: run.result.figure("exact_match").value for name, run in runs.items()}
    assert row.scores == pytest.approx(headlines)
    # All is chance here, so a run's scores spread as the strata's means do.
    true = (0.9 * 0.1 / 30 / 4 + 0.2 * 0.8 / 300 / 4) ** 0.5
    assert row.parts.interaction.value == pytest.approx(true, rel=0.25)
    assert row.n_changed < 330


def test_win_rates_are_by_the_tasks_figures(two):
    matrix = scenario_matrix({each.result.name: {"quiz": each} for each in two})
    (rates,) = [found for found in matrix.win_rates if found.aspect == "accuracy"]
    assert rates.rates["tuned"].value == 1
