"""Figures over items equal the textbook's, and what cannot count is counted."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tuneval.errors import UsageError
from tuneval.evaluation.account import account_for, clusters_of
from tuneval.evaluation.items import TeacherForced
from tuneval.evaluation.metrics import load_metric
from tuneval.statistics.proportion import wilson


def test_perplexity_weighs_tokens_not_items(make_item):
    short = replace(
        make_item(0, label="a", predict="a"), teacher_forced=TeacherForced(1.0, 1, 1, 1, 1, 1)
    )
    long = replace(
        make_item(1, label="a", predict="a"), teacher_forced=TeacherForced(18.0, 9, 3, 3, 3, 9)
    )
    found = account_for([short, long], "response_perplexity", seed=1)
    assert found.estimate.value == pytest.approx(math.exp(19 / 10))
    assert not found.higher_is_better
    micro = account_for([short, long], "token_accuracy", seed=1).estimate
    macro = account_for([short, long], "token_accuracy_sample_mean", seed=1).estimate
    assert micro.value == pytest.approx(4 / 10)
    assert macro.value == pytest.approx((1 + 3 / 9) / 2)


def test_share_of_right_answers_has_the_wilson_interval(make_evaluation):
    made = make_evaluation("a", ["right"] * 7 + ["wrong"] * 3)
    found = made.result.metrics["exact_match"].estimate
    assert (found.value, found.low, found.high) == (
        (known := wilson(7, 10)).value,
        known.low,
        known.high,
    )


def test_groups_that_repeat_are_clusters(make_evaluation):
    alone = make_evaluation("a", ["right", "wrong"], groups=["x", "y"])
    together = make_evaluation("a", ["right", "right", "wrong"], groups=["x", "x", None])
    assert clusters_of(alone.items) is None
    assert together.result.metrics["exact_match"].estimate.n_clusters == 2


def test_items_without_answer_or_tokens_are_counted_by_reason(make_item):
    whole = make_item(0, label="right", predict="right")
    empty = replace(
        make_item(1, label="right", predict="right"),
        predict=None,
        teacher_forced=None,
        skipped={"teacher_forced": "no response token", "generated": "too long"},
        unscored={"exact_match": "too long"},
    )
    whole = replace(whole, grades={"exact_match": 1.0})
    answers = account_for([whole, empty], "exact_match", seed=1)
    tokens = account_for([whole, empty], "token_accuracy", seed=1)
    assert (answers.estimate.value, answers.estimate.n) == (1.0, 1)
    assert answers.unscored == {"too long": 1}
    assert tokens.unscored == {"no response token": 1}


def test_nothing_to_count_gives_no_estimate(make_item):
    empty = replace(make_item(0, label="a", predict="a"), teacher_forced=None)
    found = account_for([empty], "response_perplexity", seed=1)
    assert found.estimate is None
    assert found.unscored == {"not measured": 1}


def test_unknown_figure_is_refused_with_the_near_name():
    with pytest.raises(UsageError, match="exact_match"):
        load_metric("exact_mach")
