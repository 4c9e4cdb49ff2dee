"""The head in pieces of the vocabulary gives what whole rows of logits give."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import tuneval.models.head as head_module
from tuneval.models.forward import Forward, evaluating
from tuneval.models.head import Wanted, from_hidden, from_logits
from tuneval.models.likelihood import measure_likelihood
from tuneval.models.methods import LoraConfig, attach
from tuneval.models.sequences import Input

VOCABULARY, WIDTH, POSITIONS, ASKED = 777, 24, 53, 90


def case(dtype=torch.float32, *, bias: bool = False, scale: float = 1.0):
    """Hidden states, a head, and what is wanted of them."""
    source = torch.Generator().manual_seed(8)
    head = torch.nn.Linear(WIDTH, VOCABULARY, bias=bias, dtype=torch.float64)
    with torch.no_grad():
        head.weight.copy_(torch.randn(VOCABULARY, WIDTH, generator=source) * scale)
        if bias:
            head.bias.copy_(torch.randn(VOCABULARY, generator=source) * 3)
    hidden = torch.randn(POSITIONS, WIDTH, generator=source).to(dtype)
    row_of = torch.randint(0, POSITIONS, (ASKED,), generator=source)
    targets = torch.randint(0, VOCABULARY, (ASKED,), generator=source)
    return hidden, head.to(dtype).requires_grad_(False), Wanted(row_of, targets, True)


def whole(hidden, head, wanted, cap=None):
    """Log-probabilities and choices over whole rows in float64."""
    logits = hidden.double() @ head.weight.double().T
    if head.bias is not None:
        logits = logits + head.bias.double()
    if cap is not None:
        logits = torch.tanh(logits / cap) * cap
    return logits.log_softmax(-1)[wanted.row_of, wanted.targets], logits.argmax(-1)


@pytest.fixture(params=[(1024, 2048), (7, 100), (53, 777), (52, 776)], ids=str)
def pieces(request, monkeypatch):
    """Rows and pieces of the vocabulary that fit at once, that divide nothing, and of one."""
    rows, piece = request.param
    monkeypatch.setattr(head_module, "ROWS", rows)
    monkeypatch.setattr(head_module, "PIECE_ON_CPU", piece)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("cap", [None, 4.0])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)], ids=["f32", "f64"]
)
@pytest.mark.usefixtures("pieces")
def test_pieces_of_the_vocabulary_equal_whole_rows(bias, cap, dtype, tolerance):
    hidden, head, wanted = case(dtype, bias=bias)
    logprobs, choices = whole(hidden, head, wanted, cap)
    found = from_hidden(hidden, head, wanted, cap=cap)
    assert found.logprobs.dtype == dtype
    torch.testing.assert_close(found.logprobs.double(), logprobs, rtol=0, atol=tolerance * 10)
    assert torch.equal(found.choices, choices)


@pytest.mark.parametrize("chunk", [1, 7, 52, 53, 99])
def test_whole_rows_in_chunks_keep_the_order_asked_for(chunk):
    hidden, head, wanted = case(torch.float64)
    logprobs, choices = whole(hidden, head, wanted)
    found = from_logits((hidden @ head.weight.T).split(chunk), wanted)
    torch.testing.assert_close(found.logprobs, logprobs)
    assert torch.equal(found.choices, choices)


def test_without_choices_none_are_made():
    hidden, head, wanted = case()
    wanted = Wanted(wanted.row_of, wanted.targets, with_choices=False)
    assert from_hidden(hidden, head, wanted, cap=None).choices is None
    assert from_logits([hidden @ head.weight.T], wanted).choices is None


def test_of_equal_logits_the_first_is_chosen_across_pieces(monkeypatch):
    monkeypatch.setattr(head_module, "PIECE_ON_CPU", 100)
    hidden, head, wanted = case()
    head.weight[:] = head.weight[0]
    assert from_hidden(hidden, head, wanted, cap=None).choices.tolist() == [0] * POSITIONS


def test_large_logits_neither_overflow_nor_vanish(monkeypatch):
    monkeypatch.setattr(head_module, "PIECE_ON_CPU", 100)
    hidden, head, wanted = case(scale=300.0)
    logprobs, _ = whole(hidden, head, wanted)
    found = from_hidden(hidden, head, wanted, cap=None).logprobs
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found.double(), logprobs, rtol=1e-5, atol=1e-2)


@pytest.mark.parametrize("scale", [0.2, 1.0, 4.0])
def test_bfloat16_keeps_probabilities_that_sum_to_one(scale):
    """Rounded and exact logits must not be mixed: a certain token would be more than certain."""
    hidden, head, _ = case(torch.bfloat16, scale=scale)
    rows = torch.arange(POSITIONS).repeat_interleave(VOCABULARY)
    wanted = Wanted(rows, torch.arange(VOCABULARY).repeat(POSITIONS), with_choices=False)
    found = from_hidden(hidden, head, wanted, cap=None).logprobs
    assert found.dtype == torch.float32
    sums = found.double().exp().view(POSITIONS, VOCABULARY).sum(-1)
    assert sums.sub(1).abs().max() < 2e-2
    assert found.max() <= 1e-3


def test_bfloat16_is_close_to_float32():
    hidden, head, wanted = case(torch.bfloat16, scale=0.3)
    logprobs, _ = whole(hidden, head, wanted)
    found = from_hidden(hidden, head, wanted, cap=None).logprobs
    torch.testing.assert_close(found.double(), logprobs, rtol=0, atol=0.05)


def with_lora_on_head(model):
    """The model with an adapter on its output head that changes the logits."""
    from peft import LoraConfig as PeftLora
    from peft import get_peft_model

    made = copy.deepcopy(model)
    made.config.tie_word_embeddings = False
    made.lm_head.weight = torch.nn.Parameter(made.lm_head.weight.detach().clone())
    adapted = get_peft_model(made, PeftLora(target_modules=["lm_head"], r=2))
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.5)
    return adapted.eval()


def test_an_adapter_on_the_head_takes_part(tiny_llama, requests, naive, monkeypatch):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = with_lora_on_head(tiny_llama.model)

    def plain(*_, **__):
        raise AssertionError("the head was read as if it had no adapter")

    monkeypatch.setattr("tuneval.models.forward.from_hidden", plain)
    found = measure_likelihood(model, requests)
    expected = naive(model, requests)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.logprobs, theirs.logprobs, rtol=0, atol=1e-4)
    plainly = naive(tiny_llama.model, requests)
    assert np.abs(found[0].logprobs - plainly[0].logprobs).max() > 1e-2


def test_a_plain_head_is_read_in_pieces(tiny_llama, requests, monkeypatch):
    def whole_rows(*_, **__):
        raise AssertionError("whole rows of logits were made")

    monkeypatch.setattr("tuneval.models.forward.from_logits", whole_rows)
    model = attach(copy.deepcopy(tiny_llama.model), LoraConfig(rank=4))
    measure_likelihood(model, requests)


@pytest.mark.parametrize("family", ["gpt2", "gemma2", "gemma3"])
def test_pieces_equal_whole_rows_in_families_with_caps_and_tied_heads(
    family_model, requests, naive, family, monkeypatch
):
    monkeypatch.setattr(head_module, "PIECE_ON_CPU", 64)
    monkeypatch.setattr(head_module, "ROWS", 5)
    model = family_model(family)
    found = measure_likelihood(model, requests)
    for ours, theirs in zip(found, naive(model, requests), strict=True):
        np.testing.assert_allclose(ours.logprobs, theirs.logprobs, rtol=0, atol=1e-4)
        assert ours.argmax.tolist() == theirs.argmax.tolist()


def test_logits_of_a_shared_beginning_stand_at_their_places(tiny_llama):
    """Every position of a batch, asked for in one call, in order."""
    from tuneval.models.forward import padded_batch

    samples = [Input(np.array(ids, np.int32)) for ids in ([5, 6, 7, 8], [9, 10])]
    with evaluating(tiny_llama.model):
        forward = Forward(tiny_llama.model)
        batch = padded_batch(samples)
        rows = torch.cat(list(forward.logits(batch, np.array([0, 3, 4, 5]))))
        alone = [tiny_llama.model(torch.tensor([s.ids.tolist()])).logits[0] for s in samples]
    expected = torch.stack([alone[0][0], alone[0][3], alone[1][0], alone[1][1]])
    torch.testing.assert_close(rows, expected, rtol=0, atol=1e-4)
