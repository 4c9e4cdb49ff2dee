from __future__ import annotations

import copy

import pytest
import torch
from families import family_model
from pydantic import ValidationError

from tuneval.errors import ModelError
from tuneval.models.methods import FreezeConfig, attach, count_parameters, save


def trained(model) -> set[str]:
    return {name for name, p in model.named_parameters() if p.requires_grad}


def attached(tiny_llama, **fields):
    return attach(copy.deepcopy(tiny_llama.model), FreezeConfig(**fields))


def layers_of(names: set[str]) -> set[int]:
    return {int(name.split(".")[2]) for name in names if ".layers." in name}


@pytest.mark.parametrize(
    ("layers", "chosen"),
    [(1, {3}), (3, {1, 2, 3}), (4, {0, 1, 2, 3}), (-1, {0}), (-3, {0, 1, 2})],
)
def test_the_last_layers_are_trained_or_with_a_negative_number_the_first(
    tiny_llama, layers, chosen
):
    model = attached(tiny_llama, layers=layers)
    names = trained(model)
    assert layers_of(names) == chosen
    assert all(".layers." in name for name in names)
    per_layer = sum(p.numel() for p in tiny_llama.model.model.layers[0].parameters())
    count = count_parameters(model)
    assert count.trainable == abs(layers) * per_layer
    assert count.total == count_parameters(tiny_llama.model).total


@pytest.mark.parametrize("layers", [0, 5, -5])
def test_layers_that_the_model_does_not_have_are_refused(tiny_llama, layers):
    with pytest.raises(ModelError, match=f"{layers} layers cannot be trained: the model has 4"):
        attached(tiny_llama, layers=layers)


def test_parts_of_the_layers_are_trained_by_their_name(tiny_llama):
    names = trained(attached(tiny_llama, layers=2, modules=["mlp", "self_attn.q_proj"]))
    parts = {name.split(".", 3)[3] for name in names}
    assert parts == {
        "mlp.gate_proj.weight",
        "mlp.up_proj.weight",
        "mlp.down_proj.weight",
        "self_attn.q_proj.weight",
    }
    assert layers_of(names) == {2, 3}


def test_parts_outside_the_layers_are_trained_with_them(tiny_llama):
    names = trained(attached(tiny_llama, layers=1, modules=["mlp"], extra_modules=["norm"]))
    assert {name for name in names if ".layers." not in name} == {"model.norm.weight"}


def test_a_head_tied_to_the_embeddings_is_found_by_its_own_name(tiny_llama):
    model = attached(tiny_llama, extra_modules=["lm_head"])
    assert model.lm_head.weight.requires_grad
    assert model.lm_head.weight is model.model.embed_tokens.weight


@pytest.mark.parametrize(
    ("fields", "message", "near"),
    [
        ({"modules": ["mlpp"]}, "no part called 'mlpp' in the trained layers", "'mlp'"),
        ({"modules": ["qkv"]}, "no part called 'qkv' in the trained layers", "q_proj"),
        ({"modules": ["lm_head"]}, "no part called 'lm_head' in the trained layers", "mlp"),
        ({"extra_modules": ["lm_hed"]}, "no part called 'lm_hed' outside its layers", "'lm_head'"),
        ({"extra_modules": ["mlp"]}, "no part called 'mlp' outside its layers", "norm"),
    ],
)
def test_a_part_that_is_not_there_is_refused_with_the_near_names(tiny_llama, fields, message, near):
    with pytest.raises(ModelError, match=message) as caught:
        attached(tiny_llama, **fields)
    assert near in caught.value.mend
    assert caught.value.where == f"method.{next(iter(fields))}"


@pytest.mark.parametrize(
    "fields", [{"modules": "mlp"}, {"modules": []}, {"cache_limit_gib": 0}, {"n_layers": 3}]
)
def test_a_value_of_another_form_is_an_error(fields):
    with pytest.raises(ValidationError):
        FreezeConfig(**fields)


@pytest.mark.parametrize("family", ["gpt2", "gemma2", "gemma3", "qwen3", "glm", "opt"])
def test_the_last_layer_is_found_in_other_families(family):
    model = attach(copy.deepcopy(family_model(family)), FreezeConfig(layers=1))
    last = model.config.num_hidden_layers - 1
    names = trained(model)
    assert names
    assert all(f".{last}." in name for name in names)


def test_what_is_saved_is_a_whole_model_for_plain_transformers(tiny_llama, tmp_path):
    from transformers import AutoModelForCausalLM

    model = attached(tiny_llama, layers=1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.01
    save(model, FreezeConfig(layers=1), tmp_path)
    ids = torch.arange(5, 30)[None]
    plain = AutoModelForCausalLM.from_pretrained(tmp_path)
    with torch.no_grad():
        assert torch.equal(plain(ids).logits, model(ids).logits)
