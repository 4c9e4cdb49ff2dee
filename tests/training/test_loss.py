"""The loss in pieces is the loss of the whole model, and so are its gradients."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import transformers

from tuneval.models.packed_attention import use_packed_attention
from tuneval.tokenization import Tokens
from tuneval.training import loss as loss_module
from tuneval.training.batches import Collate, Row
from tuneval.training.loss import NextTokenLoss


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    """Three positions of these vocabularies at once, so that every batch takes several pieces."""
    monkeypatch.setattr(loss_module, "CHUNK_LOGITS", 1000)


@pytest.fixture
def batch():
    source = np.random.default_rng(4)
    documents = []
    for length, n_trained in ((12, 5), (30, 11), (7, 1)):
        mask = np.zeros(length, bool)
        mask[-n_trained:] = True
        documents.append(Tokens(source.integers(3, 290, length).astype(np.int32), mask, "x"))
    return Collate()([Row(tuple(documents))])


def llama(*, tied: bool = False, bias: bool = False):
    config = transformers.LlamaConfig(
        vocab_size=300, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, tie_word_embeddings=tied,
        initializer_range=0.3,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(2)
        model = transformers.LlamaForCausalLM(config)
        if bias:
            model.lm_head = torch.nn.Linear(32, 300)
    return model


def granite():
    config = transformers.GraniteConfig(
        vocab_size=300, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, logits_scaling=8.0, initializer_range=0.3,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(2)
        return transformers.GraniteForCausalLM(config)


def by_the_book(model, batch) -> torch.Tensor:
    """One document at a time through the whole model, all logits."""
    total = torch.zeros(())
    for document in batch["documents"]:
        ids = torch.from_numpy(document.ids.astype(np.int64))[None]
        logits = model(input_ids=ids, use_cache=False).logits[0, :-1]
        labels = ids[0, 1:].masked_fill(~torch.from_numpy(document.loss_mask[1:]), -100)
        total = total + F.cross_entropy(logits.float(), labels, reduction="sum")
    return total


def gradients(model) -> dict[str, torch.Tensor]:
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize(
    "made",
    [llama, lambda: llama(tied=True), lambda: llama(bias=True), granite],
    ids=["plain", "tied", "bias", "scaled logits"],
)
def test_loss_and_gradients_are_those_of_whole_logits_one_document_at_a_time(made, batch):
    model = made()
    plain = copy.deepcopy(model)
    expected = by_the_book(plain, batch)
    expected.backward()
    assert use_packed_attention(model)
    found = NextTokenLoss(model)(**batch)
    found.backward()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)
    assert gradients(model).keys() == gradients(plain).keys()
    for name, gradient in gradients(plain).items():
        torch.testing.assert_close(gradients(model)[name], gradient, rtol=1e-3, atol=1e-4, msg=name)


def test_a_scaled_head_runs_as_the_model_has_it():
    model = granite()
    use_packed_attention(model)
    assert not NextTokenLoss(model).has_plain_head
    model = llama()
    use_packed_attention(model)
    assert NextTokenLoss(model).has_plain_head


def test_a_frozen_head_gets_no_gradient_and_the_body_the_same(batch):
    model, trained = llama(), llama()
    model.lm_head.requires_grad_(False)
    for each in (model, trained):
        use_packed_attention(each)
        NextTokenLoss(each)(**batch).backward()
    assert model.lm_head.weight.grad is None
    for name, gradient in gradients(model).items():
        assert torch.equal(gradient, gradients(trained)[name])


def test_the_gradient_grows_with_what_the_loss_is_multiplied_by(batch):
    once, thrice = llama(), llama()
    for model, factor in ((once, 1.0), (thrice, 3.0)):
        use_packed_attention(model)
        (NextTokenLoss(model)(**batch) * factor).backward()
    for name, gradient in gradients(once).items():
        torch.testing.assert_close(gradients(thrice)[name], 3 * gradient, rtol=1e-4, atol=1e-5)


def test_without_gradients_nothing_is_kept(batch):
    model = llama().requires_grad_(False)
    use_packed_attention(model)
    total = NextTokenLoss(model)(**batch)
    assert not total.requires_grad
    torch.testing.assert_close(total, by_the_book(llama(), batch), rtol=1e-5, atol=1e-4)


def test_bfloat16_arithmetic_is_near_and_its_gradients_are_float32(batch):
    model = llama()
    use_packed_attention(model)
    module = NextTokenLoss(model)
    with torch.autocast("cpu", torch.bfloat16):
        found = module(**batch)
    found.backward()
    expected = by_the_book(llama(), batch)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=0.02, atol=0.0)
    assert {gradient.dtype for gradient in gradients(model).values()} == {torch.float32}


def test_the_logits_of_the_whole_batch_are_never_there_at_once(batch, monkeypatch):
    largest = 0
    original = torch.Tensor.logsumexp

    def watched(self, *args, **kwargs):
        nonlocal largest
        largest = max(largest, self.numel())
        return original(self, *args, **kwargs)

    monkeypatch.setattr(torch.Tensor, "logsumexp", watched)
    model = llama()
    use_packed_attention(model)
    NextTokenLoss(model)(**batch)
    assert 0 < largest <= 1000
