from __future__ import annotations

import numpy as np

from tuneval.evaluation.answering.asked import Choosing, Reading, Writing
from tuneval.evaluation.answering.invariance import check_invariance, spread
from tuneval.models.likelihood import Nll
from tuneval.models.sequences import Request


def request(*target: int) -> Request:
    return Request([1], list(target))


def check(asked, rows=None, *, measure=None, write=None):
    rows = {name: {} for name in asked} if rows is None else rows
    return check_invariance(asked, rows, n_items=16, measure=measure, write=write)


def test_items_are_taken_from_all_over():
    asked = {str(n): Reading(()) for n in range(101)}
    assert list(spread(asked, 5)) == ["0", "25", "50", "75", "100"]
    assert list(spread(asked, 1)) == ["0"]
    assert list(spread(asked, 200)) == list(asked)


def test_choices_are_compared_with_the_answers_that_are_kept():
    asked_alone = []

    def measure(requests):
        asked_alone.append(len(requests))
        return [Nll(float(sum(r.target)), len(r.target)) for r in requests]

    choosing = {
        "same": Choosing((request(3), request(5))),
        "likelier": Choosing((request(3), request(5))),
        "other": Choosing((request(3), request(9))),
        "unanswered": Choosing((request(3), request(9))),
    }
    rows = {
        "same": {"logprobs": [-3.0, -5.0]},
        "likelier": {"logprobs": [-3.0, -4.5]},
        "other": {"logprobs": [-3.0, -2.0]},
    }
    found = check(choosing, rows, measure=measure)
    assert (found.n_items, found.n_changed, found.largest) == (3, 1, 7.0)
    assert asked_alone == [2, 2, 2]


def test_a_model_that_minds_its_neighbours_is_found_out():
    def measure(requests):
        # In company everything is half a nat likelier for each token.
        return [Nll(sum(r.target) - 0.5 * (len(requests) > 2), len(r.target)) for r in requests]

    reading = {name: Reading((request(4, 4), request(1))) for name in "abc"}
    found = check(reading, measure=measure)
    assert (found.n_items, found.n_changed, found.largest) == (3, 0, 0.25)


def test_generated_tokens_are_compared_one_by_one():
    def write(names, most):
        assert most == 32
        return {name: [int(name), len(names) if name == "5" else 0] for name in names}

    writing = {
        str(n): Writing(ids=np.array([n]), max_new_tokens=90, temperature=0.0) for n in (4, 5, 6)
    }
    found = check(writing, write=write)
    assert (found.n_items, found.n_changed, found.largest) == (3, 1, None)


def test_nothing_answered_is_nothing_to_compare():
    assert check({}) is None
    assert check({"a": Choosing((request(3),))}, {}) is None
