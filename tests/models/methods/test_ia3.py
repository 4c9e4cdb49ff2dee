from __future__ import annotations

import copy

import numpy as np
import peft
import pytest
import torch
import transformers

from tuneval.errors import ModelError
from tuneval.models.blocks import find_blocks
from tuneval.models.likelihood import measure_likelihood
from tuneval.models.load import load_model
from tuneval.models.methods import IA3Config, attach, count_parameters, save
from tuneval.models.packed_attention import PACKED_ATTENTION, use_packed_attention
from tuneval.models.projections import find_projections

IDS = torch.tensor([[5, 6, 7, 8, 9, 10]])
# Which matrices make keys and values, and which is a feed-forward's last: transformers' sources.
TARGETS = {
    "llama": ({"self_attn.k_proj", "self_attn.v_proj"}, "mlp.down_proj"),
    "qwen3": ({"self_attn.k_proj", "self_attn.v_proj"}, "mlp.down_proj"),
    "gemma2": ({"self_attn.k_proj", "self_attn.v_proj"}, "mlp.down_proj"),
    "gemma3": ({"self_attn.k_proj", "self_attn.v_proj"}, "mlp.down_proj"),
    "glm": ({"self_attn.k_proj", "self_attn.v_proj"}, "mlp.down_proj"),
    "gpt2": ({"attn.c_attn"}, "mlp.c_proj"),
    "opt": ({"self_attn.k_proj", "self_attn.v_proj"}, "fc2"),
}


@pytest.fixture(name="base_of")
def _base_of(tiny_llama, family_model):
    """A function from a family's name to a copy of its tiny model."""
    return lambda name: copy.deepcopy(tiny_llama.model if name == "llama" else family_model(name))


def logits(model) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(input_ids=IDS).logits


def as_trained(model):
    """The model with factors that are far from one."""
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.5 * torch.randn_like(parameter)
    return model


@pytest.mark.parametrize("family", TARGETS)
def test_keys_values_and_the_feed_forwards_inside_are_found_in_every_family(base_of, family):
    found = find_projections(base_of(family))
    assert (set(found.key_value), set(found.feed_forward_out)) == (
        TARGETS[family][0],
        {TARGETS[family][1]},
    )


def test_looking_for_them_leaves_the_model_as_it_was(tiny_llama):
    model = copy.deepcopy(tiny_llama.model).requires_grad_(False)
    before = logits(model)
    model.train()
    assert use_packed_attention(model)
    find_projections(model)
    assert model.training
    assert model.config._attn_implementation == PACKED_ATTENTION
    assert not any(module._forward_hooks for module in model.modules())
    assert not any(p.requires_grad or p.grad is not None for p in model.parameters())
    model.set_attn_implementation("sdpa")
    assert torch.equal(logits(model), before)


@pytest.mark.parametrize("family", TARGETS)
def test_exactly_those_get_factors_that_begin_as_one(base_of, family):
    base = base_of(family)
    expected = logits(base)
    key_value, last = TARGETS[family]
    paths = {f"{block.path}.{end}" for block in find_blocks(base) for end in (*key_value, last)}
    model = attach(base, IA3Config())
    assert set(model.targeted_module_names) == paths
    assert torch.equal(logits(model), expected)
    as_trained(model)(input_ids=IDS).logits.square().sum().backward()
    for name, parameter in model.named_parameters():
        has_gradient = parameter.grad is not None and bool(parameter.grad.any())
        assert has_gradient == parameter.requires_grad == ("ia3_l" in name), name


def test_a_llama_trains_one_number_for_each_key_value_and_inner_dimension(tiny_llama):
    model = attach(copy.deepcopy(tiny_llama.model), IA3Config())
    assert count_parameters(model).trainable == 4 * (64 + 64 + 512)


def test_the_factors_are_those_of_the_paper(tiny_llama):
    """Liu et al., section 3.3: l_k * K, l_v * V, and l_ff on what the last matrix reads."""
    model = as_trained(attach(copy.deepcopy(tiny_llama.model), IA3Config()))
    by_hand = copy.deepcopy(tiny_llama.model)
    with torch.no_grad():
        for name, factor in model.named_parameters():
            if factor.requires_grad:
                path = name.removeprefix("base_model.model.").partition(".ia3_l")[0]
                matrix = by_hand.get_submodule(path)
                column = factor.flatten()
                matrix.weight *= column if path.endswith("down_proj") else column[:, None]
    torch.testing.assert_close(logits(model), logits(by_hand), rtol=0, atol=1e-4)


@pytest.mark.parametrize("family", TARGETS)
def test_plain_peft_loads_it_and_merging_changes_nothing(base_of, family, tmp_path):
    base = base_of(family)
    base.save_pretrained(tmp_path / "base")
    model = as_trained(attach(base, IA3Config()))
    expected = logits(model)
    save(model, IA3Config(), tmp_path / "adapter")
    plain = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    plain = peft.PeftModel.from_pretrained(plain, tmp_path / "adapter")
    torch.testing.assert_close(logits(plain), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(logits(plain.merge_and_unload()), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("adapters", ["merged", "attached"])
def test_a_saved_adapter_is_merged_or_stays_as_asked(
    tiny_llama_folder, tiny_llama, adapters, tmp_path
):
    model = as_trained(attach(load_model(str(tiny_llama_folder)).model, IA3Config()))
    save(model, IA3Config(), tmp_path / "adapter")
    found = load_model(str(tmp_path / "adapter"), adapters=adapters).model
    assert hasattr(found, "peft_config") == (adapters == "attached")
    torch.testing.assert_close(logits(found), logits(model), rtol=0, atol=1e-4)
    assert not torch.allclose(logits(found), logits(tiny_llama.model), atol=1e-2)


def test_more_is_trained_on_top_of_what_was_merged_but_not_of_what_is_attached(
    tiny_llama_folder, tmp_path
):
    save(attach(load_model(str(tiny_llama_folder)).model, IA3Config()), IA3Config(), tmp_path / "a")
    merged = load_model(str(tmp_path / "a")).model
    assert count_parameters(attach(merged, IA3Config())).trainable == 4 * (64 + 64 + 512)
    with pytest.raises(ModelError, match="carries an adapter"):
        attach(load_model(str(tmp_path / "a"), adapters="attached").model, IA3Config())


@pytest.mark.parametrize("arrange", ["packed", "padded"])
@pytest.mark.parametrize("family", ["llama", "gpt2", "glm"])
def test_likelihoods_are_those_of_the_adapted_model(base_of, requests, naive, family, arrange):
    model = as_trained(attach(base_of(family), IA3Config())).eval()
    found = measure_likelihood(model, requests, arrange=arrange)
    for ours, theirs in zip(found, naive(model, requests), strict=True):
        np.testing.assert_allclose(ours.logprobs, theirs.logprobs, rtol=0, atol=2e-4)


def test_a_mixture_of_experts_is_refused_with_the_layer(base_of):
    with pytest.raises(ModelError, match="mixture of experts") as caught:
        attach(base_of("mixtral"), IA3Config())
    assert "model.layers.0: MixtralSparseMoeBlock" in caught.value.where
