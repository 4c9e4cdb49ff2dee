"""Answers and likelihoods on an accelerator are those of the CPU."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from tuneval.models.continuous import can_be_continuous
from tuneval.models.forward import evaluating
from tuneval.models.generation import generate
from tuneval.models.likelihood import Request, measure_likelihood

pytestmark = pytest.mark.gpu
STOP = 2


@pytest.fixture(scope="module")
def prompts() -> list[list[int]]:
    source = np.random.default_rng(2)
    head = source.integers(3, 290, 40).tolist()
    return [head + source.integers(3, 290, n).tolist() for n in (1, 30, 7, 60, 12, 90, 3, 25)]


@pytest.fixture
def on_device(tiny_llama):
    """The tiny model in float64: there rounding chooses no other token."""
    return copy.deepcopy(tiny_llama.model).double().to("cuda")


@pytest.mark.parametrize("token_budget", [None, 300])
def test_greedy_answers_are_those_of_the_cpu(tiny_llama, on_device, prompts, token_budget):
    with evaluating(on_device):
        assert can_be_continuous(on_device, np.array(prompts[0], np.int32), ())
    asked = {"stop_ids": [STOP], "max_new_tokens": 24, "token_budget": token_budget}
    expected = generate(copy.deepcopy(tiny_llama.model).double(), prompts, **asked)
    assert generate(on_device, prompts, **asked) == expected


def test_likelihoods_are_those_of_the_cpu(tiny_llama, on_device, prompts):
    requests = [Request(prompt, [choice]) for prompt in prompts for choice in (5, 6, 7)]
    expected = measure_likelihood(copy.deepcopy(tiny_llama.model).double(), requests)
    for arrange in ("auto", "packed", "padded"):
        found = measure_likelihood(on_device, requests, token_budget=None, arrange=arrange)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours.logprobs, theirs.logprobs, rtol=0, atol=1e-8)


def test_half_precision_answers_end_and_are_told(on_device, prompts):
    model = copy.deepcopy(on_device).to(torch.bfloat16)
    found = generate(model, prompts, stop_ids=[STOP], max_new_tokens=8)
    assert len(found) == len(prompts)
    assert all(0 < len(completion.ids) <= 8 for completion in found)
