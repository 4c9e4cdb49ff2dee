"""What is counted is what torch itself counts of the same passes."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from tuneval.models.methods import FullConfig, LoraConfig, attach
from tuneval.models.packed_attention import Layout
from tuneval.models.quiet import quiet_libraries
from tuneval.tokenization import Tokens
from tuneval.training.batches import Collate, Row
from tuneval.training.flops import FlopCount, attended_pairs
from tuneval.training.loss import NextTokenLoss
from tuneval.training.trainer import enable_gradient_checkpointing, prepare_for_packing


def document(length: int, seed: int) -> Tokens:
    generator = np.random.default_rng(seed)
    ids = generator.integers(5, 300, length).astype(np.int32)
    return Tokens(ids=ids, loss_mask=np.arange(length) >= length // 2, example_id=str(seed))


SAMPLE = Collate()([Row((document(9, seed=1),))])
LARGER = Collate()([Row((document(30, seed=2), document(17, seed=3)))])


@pytest.fixture
def model(tiny_llama):
    model = copy.deepcopy(tiny_llama.model)
    assert prepare_for_packing(model)
    return model.requires_grad_(False)


def only_lora_on(*modules: str):
    return lambda model: attach(model, LoraConfig(rank=4, target_modules=modules))


def upper_layers(model):
    for layer in model.model.layers[2:]:
        layer.requires_grad_(True)
    return model


WAYS = {
    "full": lambda model: attach(model, FullConfig()),
    "lora": lambda model: attach(model, LoraConfig(rank=4)),
    "lora on outputs of attention": only_lora_on("o_proj"),
    "upper layers": upper_layers,
}


def torchs_count(loss: NextTokenLoss, inputs) -> float:
    """Matrix products forward and back; torch has no formula for its attention on a CPU."""
    with FlopCounterMode(display=False) as counter:
        loss(**inputs).backward()
    products = ("mm", "addmm", "bmm")
    counts = counter.get_flop_counts()["Global"]
    return sum(n for op, n in counts.items() if str(op).removeprefix("aten.") in products)


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_the_matrix_products_are_those_that_torch_counts(model, way, checkpointing, monkeypatch):
    monkeypatch.setattr("tuneval.training.flops.attended_pairs", lambda layout: 0)
    language_model = WAYS[way](model)
    if checkpointing:
        with quiet_libraries():
            enable_gradient_checkpointing(language_model)
    loss = NextTokenLoss(language_model).train()
    count = FlopCount(language_model, SAMPLE)
    expected = torchs_count(loss, LARGER)
    assert count.take(LARGER) == pytest.approx(expected, rel=1e-6)


def test_attention_counts_causal_pairs_with_what_documents_share():
    assert attended_pairs(Layout(0, ((0, 3),))) == 6
    assert attended_pairs(Layout(0, ((0, 3), (3, 5)))) == 6 + 3
    # Of 2 shared tokens and 3 own: 1 + 2 among the shared, then 3 + 4 + 5.
    assert attended_pairs(Layout(2, ((2, 5),))) == 3 + 12


def test_attention_costs_backward_only_where_gradients_go_through_it(model):
    """4 operations a pair and unit of width forward; twice that backward, where it is needed."""
    width = model.config.hidden_size
    n_layers = model.config.num_hidden_layers
    pairs = attended_pairs(LARGER["layout"])

    def attention(way) -> float:
        language_model = WAYS[way](copy.deepcopy(model))
        loss = NextTokenLoss(language_model).train()
        count = FlopCount(language_model, SAMPLE)
        loss(**LARGER).backward()
        return count.take(LARGER) - torchs_count(loss, LARGER)

    forward, backward = 4 * width * pairs, 8 * width * pairs
    assert attention("full") == pytest.approx(n_layers * (forward + backward))
    assert attention("upper layers") == pytest.approx(n_layers * forward + 2 * backward)
    # The first layer's adapter is behind its attention.
    outputs = attention("lora on outputs of attention")
    assert outputs == pytest.approx(n_layers * forward + (n_layers - 1) * backward)


def test_passes_before_a_step_do_not_count_for_it(model):
    language_model = WAYS["lora"](model)
    loss = NextTokenLoss(language_model).train()
    count = FlopCount(language_model, SAMPLE)
    loss(**LARGER).backward()
    once = count.take(LARGER)
    with torch.no_grad():
        loss(**LARGER)
    count.begin()
    loss(**LARGER).backward()
    assert count.take(LARGER) == once
