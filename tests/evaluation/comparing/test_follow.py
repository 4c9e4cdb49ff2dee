"""A comparison that is looked at after every item says when it was decided."""

from __future__ import annotations

import pytest

from tuneval.errors import UsageError
from tuneval.evaluation.comparing.compare import compare
from tuneval.evaluation.comparing.follow import can_follow, follow


def answers(n_right: int, n: int = 300) -> list[str]:
    return ["right"] * n_right + ["wrong"] * (n - n_right)


def test_a_large_difference_is_decided_long_before_the_end(make_evaluation):
    a, b = (make_evaluation(n, answers(r)) for n, r in [("a", 60), ("b", 240)])
    found = follow(a, b, "exact_match")
    assert found.verdict == "higher"
    assert 10 < found.decided_after < 60
    row = compare(a, b).row("exact_match")
    assert found.difference.value == pytest.approx(row.difference.value)
    assert found.difference.low < row.difference.low < row.difference.high < found.difference.high


def test_the_order_is_drawn_so_that_sorted_items_do_not_decide(make_evaluation):
    # All that b gains stands at the top of the file, all that it loses at its end.
    a = make_evaluation("a", ["wrong"] * 40 + ["right"] * 40)
    b = make_evaluation("b", ["right"] * 40 + ["wrong"] * 40)
    assert follow(a, b, "exact_match").verdict == "undecided"
    assert follow(a, b, "exact_match", seed=3) == follow(a, b, "exact_match", seed=3)


def test_points_of_a_score_take_their_margin_in_points(make_evaluation):
    said = answers(150, 1200)
    a, b = make_evaluation("a", said), make_evaluation("b", said)
    assert follow(a, b, "bleu-4", margin_points=5).verdict == "alike"
    assert follow(a, b, "exact_match", margin_points=5).verdict == "alike"
    assert follow(a, b, "exact_match").verdict == "undecided"


def test_items_of_a_group_are_one_draw(make_evaluation):
    groups = [str(n // 60) for n in range(300)]
    a, b = (make_evaluation(n, answers(r), groups=groups) for n, r in [("a", 60), ("b", 240)])
    found = follow(a, b, "exact_match")
    assert found.verdict == "undecided"
    assert found.difference.n_clusters == 5


def test_a_figure_of_the_whole_set_cannot_be_followed(make_evaluation):
    made = make_evaluation("a", answers(5, 10))
    with pytest.raises(UsageError, match="cannot be followed"):
        follow(made, made, "response_perplexity")
    assert can_follow("exact_match")
    assert not can_follow("response_perplexity")
