"""Token accuracy is that of the response: three countings, two of which must agree."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneval.evaluation.answering.teacher_forced import combine, count_aligned, requests_of
from tuneval.tokenization.tokens import Tokens


def tokens_of(ids: list[int], mask: list[bool]) -> Tokens:
    return Tokens(np.array(ids, dtype=np.int32), np.array(mask, dtype=np.bool_), "x")


def answered(tokens: Tokens, choices: list[int], logprob: float = -0.5):
    """The two likelihoods an engine gives when it chose `choices` for positions 1, 2, …."""
    response, _ = requests_of(tokens)
    start = len(response.context)
    return {
        "response": SimpleNamespace(
            argmax=np.array(choices[start - 1 :], dtype=np.int32),
            logprobs=np.full(len(tokens) - start, logprob, dtype=np.float32),
        ),
        "whole": SimpleNamespace(
            argmax=np.array(choices, dtype=np.int32),
            logprobs=np.full(len(tokens) - 1, logprob, dtype=np.float32),
        ),
    }


def test_response_accuracy_ignores_the_prompt():
    #          prompt         response
    tokens = tokens_of([10, 11, 12, 13, 20, 21, 22], [False] * 4 + [True] * 3)
    right_on_prompt = combine(tokens, **answered(tokens, [11, 12, 13, 20, 21, 0]))
    wrong_on_prompt = combine(tokens, **answered(tokens, [0, 0, 0, 20, 21, 0]))
    assert right_on_prompt.n_correct == wrong_on_prompt.n_correct == 2
    assert right_on_prompt.n_tokens == 3
    assert right_on_prompt.n_correct_whole == 5, "the mistaken count gains from the prompt"
    assert wrong_on_prompt.n_correct_whole == 2
    assert right_on_prompt.n_whole == 6


def test_loss_is_that_of_the_response_tokens():
    tokens = tokens_of([1, 2, 3, 4], [False, False, True, True])
    found = combine(tokens, **answered(tokens, [2, 3, 4], logprob=math.log(0.25)))
    assert found.nll == pytest.approx(2 * math.log(4), rel=1e-6)


def test_requests_of_an_item_are_one_sequence_cut_at_two_places():
    tokens = tokens_of([1, 2, 3, 4, 5], [False, False, False, True, True])
    response, whole = requests_of(tokens)
    assert [*response.context, *response.target] == [*whole.context, *whole.target]
    assert list(response.target) == [4, 5]
    assert list(whole.context) == [1]


def test_several_trained_turns_are_counted_without_what_stands_between():
    mask = [False, True, True, False, False, True]
    tokens = tokens_of([1, 2, 3, 4, 5, 6], mask)
    found = combine(tokens, **answered(tokens, [2, 3, 4, 5, 6]))
    assert (found.n_tokens, found.n_correct, found.n_correct_aligned) == (3, 3, 3)


def test_choices_that_are_not_shifted_do_not_count():
    tokens = tokens_of([1, 2, 3, 4], [False, False, True, True])
    assert count_aligned([2, 3, 4], tokens) == 2
    assert count_aligned([1, 2, 3], tokens) == 0


@settings(deadline=None)
@given(st.data())
def test_both_response_countings_agree_for_any_mask_and_choices(data):
    n = data.draw(st.integers(2, 30))
    ids = data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    mask = data.draw(st.lists(st.booleans(), min_size=n - 1, max_size=n - 1).filter(any))
    choices = data.draw(st.lists(st.integers(0, 3), min_size=n - 1, max_size=n - 1))
    tokens = tokens_of(ids, [False, *mask])
    found = combine(tokens, **answered(tokens, choices))
    assert found.n_correct == found.n_correct_aligned
    assert found.n_tokens == sum(mask)
