"""Rows whose long beginning is read apart, once, and stands before them as keys and values."""

from __future__ import annotations

import copy

import numpy as np
import peft
import pytest
import torch

import tuneval.models.likelihood as likelihood_module
from tuneval.models.likelihood import Request, measure_likelihood, measure_nll
from tuneval.models.sequences import begun_rows, distinct_inputs, packed_rows
from tuneval.runs.events import Finished

N_SHARED, N_OWN, N_REQUESTS = 140, 60, 12


@pytest.fixture(scope="module")
def few_shot() -> list[Request]:
    """Questions after the same demonstrations, each with choices of one and of three tokens."""
    source = np.random.default_rng(5)
    shots = source.integers(3, 290, N_SHARED).tolist()
    made = []
    for _ in range(N_REQUESTS):
        context = shots + source.integers(3, 290, N_OWN).tolist()
        made += [Request(context, [choice]) for choice in (5, 6)]
        made.append(Request(context, source.integers(3, 290, 3).tolist()))
    return made


@pytest.fixture
def passes(monkeypatch) -> list[int]:
    """How many tokens each pass over few-shot questions had."""
    counted: list[int] = []
    real = likelihood_module.Forward.answer

    def counting(self, batch, *rest):
        counted.append(batch.input_ids.numel())
        return real(self, batch, *rest)

    monkeypatch.setattr(likelihood_module.Forward, "answer", counting)
    return counted


def assert_close(found, expected) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.logprobs, theirs.logprobs, rtol=0, atol=1e-4)


@pytest.mark.parametrize("family", [None, "gpt2", "gemma3", "granite", "qwen3"])
def test_likelihoods_equal_those_of_one_request_at_a_time(
    tiny_llama, family_model, few_shot, naive, family
):
    model = tiny_llama.model if family is None else family_model(family)
    assert_close(measure_likelihood(model, few_shot), naive(model, few_shot))


def test_each_beginning_is_read_for_the_rows_that_follow_it(tiny_llama, few_shot, naive, passes):
    source = np.random.default_rng(6)
    other = source.integers(3, 290, N_SHARED).tolist()
    asked = [*few_shot, *(Request(other + r.context[N_SHARED:], r.target) for r in few_shot)]
    events = []
    found = measure_likelihood(tiny_llama.model, asked, report=events.append)
    assert_close(found, naive(tiny_llama.model, asked))
    assert len(passes) == 4
    assert events[-1].values["computed"] == 2 * N_SHARED + sum(passes)


def test_virtual_tokens_stay_before_what_is_read_apart(tiny_llama, few_shot, naive, passes):
    config = peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = peft.get_peft_model(copy.deepcopy(tiny_llama.model), config).eval()
    assert_close(measure_likelihood(model, few_shot[:30]), naive(model, few_shot[:30]))
    assert len(passes) > 1


def test_the_beginning_is_read_once_and_rows_are_short(tiny_llama, few_shot, passes):
    events = []
    measure_likelihood(tiny_llama.model, few_shot, report=events.append)
    assert passes[0] > passes[1] * 0.9 > passes[0] * 0.8
    assert sum(passes) == sum(len(i) - N_SHARED for i in distinct_inputs(few_shot))
    finished = next(event for event in events if isinstance(event, Finished))
    assert finished.values["computed"] == N_SHARED + sum(passes)


def test_stopped_after_any_pass_it_ends_with_the_very_same_numbers(tiny_llama, few_shot):
    told = []
    measure_nll(tiny_llama.model, few_shot, on_batch=told.append)
    whole = {index: nll for answers in told for index, nll in answers}
    assert len(told) > 1
    for n_kept in range(len(told)):
        known = {index: nll for answers in told[:n_kept] for index, nll in answers}
        rest = []
        measure_nll(tiny_llama.model, few_shot, known=known.keys(), on_batch=rest.extend)
        assert known | dict(rest) == whole


def rows_of(requests):
    return list(packed_rows(distinct_inputs(requests), 4096, preferred=1024))


def test_a_row_is_cut_into_rows_that_hold_all_of_it_but_the_beginning(few_shot):
    (row,) = rows_of(few_shot)
    cut = list(begun_rows([row], 200))
    assert all(part.is_begun and part.n_shared == N_SHARED for part in cut)
    assert len(cut) == 4
    assert max(map(len, cut)) - min(map(len, cut)) <= N_OWN + 3
    assert [item for part in cut for item in part.inputs] == list(row.inputs)


@pytest.mark.parametrize("n_context", [1, N_SHARED - 1, N_SHARED])
def test_what_is_asked_of_the_beginning_itself_keeps_it_in_the_row(few_shot, n_context):
    """Also what follows it at once: that is read off its last token."""
    shots = few_shot[0].context[:N_SHARED]
    rows = rows_of([*few_shot, Request(shots[:n_context], [*shots[n_context:], 5])])
    assert list(begun_rows(rows, 512)) == rows


def test_short_beginnings_and_short_rows_are_left_as_they_are(few_shot):
    (row,) = rows_of(few_shot)
    assert list(begun_rows([row], len(row))) == [row]
    short = rows_of([Request(r.context[20:], r.target) for r in few_shot])
    assert [part.n_shared for part in short] == [N_SHARED - 20]
    assert list(begun_rows(short, 512)) == short
