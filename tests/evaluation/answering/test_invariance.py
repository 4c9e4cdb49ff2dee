from __future__ import annotations

import numpy as np

from tuneval.evaluation.answering.asked import Choosing, Reading, Writing
from tuneval.evaluation.answering.invariance import check_invariance, spread
from tuneval.models.likelihood import Nll
from tuneval.models.sequences import Request


def request(*target: int) -> Request:
    return Request([1], list(target))


def check(asked, *, measure=None, write=None):
    return check_invariance(asked, n_items=16, measure=measure, write=write)


def test_items_are_taken_from_all_over():
    asked = {str(n): Reading(()) for n in range(101)}
    assert list(spread(asked, 5)) == ["0", "25", "50", "75", "100"]
    assert list(spread(asked, 1)) == ["0"]
    assert list(spread(asked, 200)) == list(asked)


def test_a_model_that_minds_its_neighbours_is_found_out():
    def measure(requests):
        # In company everything is half a nat likelier for each token, and 9 becomes the best.
        beside = len(requests) > 2
        return [
            Nll(sum(r.target) - 0.5 * beside - 7 * (beside and 9 in r.target), len(r.target))
            for r in requests
        ]

    choosing = {
        "same": Choosing((request(3), request(5))),
        "other": Choosing((request(3), request(9))),
    }
    found = check(choosing, measure=measure)
    assert (found.n_items, found.n_changed, found.largest) == (2, 1, 7.5)
    reading = {name: Reading((request(4, 4), request(1))) for name in "abc"}
    found = check(reading, measure=measure)
    assert (found.n_items, found.n_changed, found.largest) == (3, 0, 0.25)


def test_generated_tokens_are_compared_one_by_one():
    def write(questions, most):
        assert most == 32
        return [[int(q.ids[0]), len(questions) if q.ids[0] == 5 else 0] for q in questions]

    writing = {
        str(n): Writing(ids=np.array([n]), max_new_tokens=90, temperature=0.0) for n in (4, 5, 6)
    }
    found = check(writing, write=write)
    assert (found.n_items, found.n_changed, found.largest) == (3, 1, None)


def test_nothing_asked_is_nothing_to_compare():
    assert check({}) is None
