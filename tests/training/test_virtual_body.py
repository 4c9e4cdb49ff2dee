"""Packed rows behind virtual tokens have the loss and gradients of peft's own forward."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import transformers

from tuneval.models.methods import (
    PrefixConfig,
    PromptConfig,
    PTuningConfig,
    PTuningV2Config,
    attach,
)
from tuneval.models.packed_attention import use_packed_attention
from tuneval.models.quiet import quiet_libraries
from tuneval.tokenization import Tokens
from tuneval.training.batches import Collate, Row
from tuneval.training.loss import NextTokenLoss
from tuneval.training.trainer import enable_gradient_checkpointing

METHODS = {
    "prompt": PromptConfig(virtual_tokens=6),
    "p_tuning": PTuningConfig(virtual_tokens=6, encoder_hidden_size=16),
    "lstm": PTuningConfig(virtual_tokens=6, encoder="lstm", encoder_hidden_size=16),
    "prefix": PrefixConfig(virtual_tokens=6, encoder_hidden_size=16),
    "p_tuning_v2": PTuningV2Config(virtual_tokens=6),
}
EVERY_METHOD = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


@pytest.fixture
def batch():
    """Three documents that begin with the same ten tokens."""
    source = np.random.default_rng(4)
    head = source.integers(3, 290, 10)
    documents = []
    for length, n_trained in ((12, 5), (30, 11), (7, 1)):
        mask = np.zeros(10 + length, bool)
        mask[-n_trained:] = True
        ids = np.concatenate([head, source.integers(3, 290, length)]).astype(np.int32)
        documents.append(Tokens(ids, mask, "x"))
    made = Collate()([Row(tuple(documents))])
    assert made["layout"].n_shared == 10
    return made


def base(family):
    if family == "gpt2":
        config = transformers.GPT2Config(
            vocab_size=300, n_positions=64, n_embd=32, n_layer=2, n_head=2, initializer_range=0.3,
            resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        )  # fmt: skip
        kind = transformers.GPT2LMHeadModel
    else:
        shape = {
            "vocab_size": 300, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
            "num_attention_heads": 2, "num_key_value_heads": 1, "initializer_range": 0.3,
            "max_position_embeddings": 64,
        }  # fmt: skip
        kinds = {
            "llama": (transformers.LlamaConfig(**shape), transformers.LlamaForCausalLM),
            "granite": (
                transformers.GraniteConfig(**shape, logits_scaling=8.0, embedding_multiplier=6.0),
                transformers.GraniteForCausalLM,
            ),
            "gemma3": (
                transformers.Gemma3TextConfig(
                    **shape, head_dim=24, sliding_window=16,
                    layer_types=["sliding_attention", "full_attention"],
                ),
                transformers.Gemma3ForCausalLM,
            ),
        }  # fmt: skip
        config, kind = kinds[family]
    return kind(config)


def tuned(method, family="llama", *, packed):
    """The model in training mode with a method attached, always with the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(2)
        model = base(family)
        if packed:
            assert use_packed_attention(model)
        return attach(model, method).train()


def by_the_book(model, batch) -> torch.Tensor:
    """One document at a time through peft's own forward, all logits."""
    total = torch.zeros(())
    for document in batch["documents"]:
        ids = torch.from_numpy(document.ids.astype(np.int64))[None]
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0]
        labels = ids[0].masked_fill(~torch.from_numpy(document.loss_mask), -100)
        logits = logits[-len(labels) : -1]
        total = total + F.cross_entropy(logits.float(), labels[1:], reduction="sum")
    return total


def assert_same_gradients(ours, theirs):
    expected = dict(theirs.named_parameters())
    trained = {name: p for name, p in ours.named_parameters() if p.requires_grad}
    assert trained
    assert all("prompt_encoder" in name for name in trained)
    for name, parameter in trained.items():
        gradient = expected[name].grad
        scale = max(1.0, gradient.abs().max().item())
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-5 * scale, msg=name)


@EVERY_METHOD
def test_loss_and_gradients_are_those_of_one_document_at_a_time(batch, method):
    ours, theirs = (tuned(method, packed=packed) for packed in (True, False))
    found, expected = NextTokenLoss(ours)(**batch), by_the_book(theirs, batch)
    found.backward()
    expected.backward()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)
    assert_same_gradients(ours, theirs)


@pytest.mark.parametrize("family", ["gpt2", "granite", "gemma3"])
@pytest.mark.parametrize("kind", ["p_tuning", "p_tuning_v2"])
def test_loss_and_gradients_are_pefts_in_every_family(batch, family, kind):
    # GPT-2 learns positions, Granite scales its logits, Gemma 3 has a window of 16 tokens.
    ours, theirs = (tuned(METHODS[kind], family, packed=packed) for packed in (True, False))
    found, expected = NextTokenLoss(ours)(**batch), by_the_book(theirs, batch)
    found.backward()
    expected.backward()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)
    assert_same_gradients(ours, theirs)


@EVERY_METHOD
def test_gradient_checkpointing_changes_nothing(batch, method):
    """peft refuses this for prefix tuning: as a cache its states would be lost or doubled."""
    kept, again = (tuned(method, packed=True) for _ in range(2))
    with quiet_libraries():
        enable_gradient_checkpointing(again)
    losses = [NextTokenLoss(model)(**batch) for model in (kept, again)]
    for loss in losses:
        loss.backward()
    assert losses[0] == losses[1]
    assert_same_gradients(again, kept)


@EVERY_METHOD
def test_bfloat16_arithmetic_is_near_and_its_gradients_are_float32(batch, method):
    model, exact = (tuned(method, packed=True) for _ in range(2))
    model.get_base_model().to(torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        found = NextTokenLoss(model)(**batch)
    found.backward()
    expected = NextTokenLoss(exact)(**batch)
    torch.testing.assert_close(found, expected.detach(), rtol=0.05, atol=0.0)
    dtypes = {p.grad.dtype for p in model.parameters() if p.grad is not None}
    assert dtypes == {torch.float32}


def test_every_document_sees_the_virtual_tokens_and_none_its_neighbours(batch):
    model = tuned(METHODS["p_tuning_v2"], packed=True)
    loss = NextTokenLoss(model)
    document = batch["documents"][2]
    with torch.no_grad():
        together = loss(**Collate()([Row(batch["documents"])]))
        others = loss(**Collate()([Row(batch["documents"][:2])]))
        alone = loss(**Collate()([Row((document,))]))
    torch.testing.assert_close(together - others, alone, rtol=1e-4, atol=1e-3)


def test_an_encoder_with_dropout_drops_in_training_alone(batch):
    method = PTuningConfig(
        virtual_tokens=6, encoder="lstm", encoder_hidden_size=16, encoder_dropout=0.5
    )
    model = tuned(method, packed=True)
    loss = NextTokenLoss(model)
    assert loss(**batch) != loss(**batch)
    copied = copy.deepcopy(loss).eval()
    assert copied(**batch) == copied(**batch)
