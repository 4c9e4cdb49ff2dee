"""LoRA and its variants: what they add, how they begin, and that plain peft reads them."""

from __future__ import annotations

import copy
import json

import peft
import pytest
import torch
from pydantic import ValidationError

from tuneval.errors import ModelError
from tuneval.models.load import load_model
from tuneval.models.methods import LoraConfig, attach, learning_rate_scale, save
from tuneval.models.quiet import quiet_libraries

IDS = torch.arange(5, 60)[None]
VARIANTS = {
    "lora": {"dropout": 0.1},
    "rslora": {"use_rslora": True},
    "dora": {"use_dora": True},
    "pissa": {"init": "pissa"},
    "fast pissa": {"init": "pissa_niter_4"},
    "pissa and rslora": {"init": "pissa", "use_rslora": True},
    "pissa and dora": {"init": "pissa", "use_dora": True},
}
variants = pytest.mark.parametrize("fields", VARIANTS.values(), ids=VARIANTS)


def logits(model) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(input_ids=IDS).logits


def moved(model):
    """As after a training: every trained number is another one."""
    source = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                noise = torch.randn(parameter.shape, generator=source)
                parameter.add_(noise, alpha=0.02)
    return model


def attached(model, **fields):
    with quiet_libraries():
        return attach(copy.deepcopy(model), LoraConfig(rank=4, **fields))


def plain(model, folder):
    with quiet_libraries():
        return peft.PeftModel.from_pretrained(copy.deepcopy(model), folder)


@variants
def test_every_variant_begins_as_the_model_it_is_attached_to(tiny_llama, fields):
    model = attached(tiny_llama.model, **fields)
    torch.testing.assert_close(logits(model), logits(tiny_llama.model), rtol=0, atol=1e-4)


@variants
def test_plain_peft_on_the_untouched_base_says_what_was_trained(
    tiny_llama, tiny_llama_folder, tmp_path, fields
):
    config = LoraConfig(rank=4, **fields)
    model = moved(attached(tiny_llama.model, **fields))
    save(model, config, tmp_path)
    expected = logits(model)
    assert (expected - logits(tiny_llama.model)).abs().max() > 0.1
    found = logits(plain(tiny_llama.model, tmp_path))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    merged = load_model(str(tiny_llama_folder), adapter=str(tmp_path), device="cpu").model
    assert not hasattr(merged, "peft_config")
    torch.testing.assert_close(logits(merged), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("fields", [{}, {"init": "pissa"}, {"use_dora": True}])
@pytest.mark.parametrize("family", ["gpt2", "gemma2", "gemma3", "granite"])
def test_other_families_are_saved_and_read_the_same_way(family_model, tmp_path, family, fields):
    base = family_model(family)
    model = moved(attached(base, **fields))
    save(model, LoraConfig(rank=4, **fields), tmp_path)
    expected = logits(model)
    assert (expected - logits(base)).abs().max() > 1e-3
    torch.testing.assert_close(logits(plain(base, tmp_path)), expected, rtol=0, atol=2e-4)


def test_dropout_is_there_in_training_and_only_then(tiny_llama):
    model = moved(attached(tiny_llama.model, dropout=0.5))
    assert torch.equal(logits(model), logits(model))
    with torch.no_grad():
        once, again = (model.train()(input_ids=IDS).logits for _ in range(2))
    assert not torch.equal(once, again)


def test_rslora_divides_by_the_root_of_the_rank(tiny_llama):
    path = "base_model.model.model.layers.0.self_attn.q_proj"
    for fields, scaling in (({}, 16 / 4), ({"use_rslora": True}, 16 / 2)):
        layer = moved(attached(tiny_llama.model, **fields)).get_submodule(path)
        product = layer.lora_B["default"].weight @ layer.lora_A["default"].weight
        torch.testing.assert_close(layer.get_delta_weight("default"), scaling * product)


def test_dora_learns_the_length_of_each_output_apart_from_its_direction(tiny_llama):
    model = moved(attached(tiny_llama.model, use_dora=True))
    layer = model.get_submodule("base_model.model.model.layers.0.self_attn.q_proj")
    length = layer.lora_magnitude_vector["default"].weight
    assert length.requires_grad
    layer.merge()
    # ‖W'‖ of each row is the learnt length: equation 5 of the paper.
    torch.testing.assert_close(layer.weight.norm(dim=1), length, rtol=1e-4, atol=1e-5)


def test_pissa_trains_the_largest_singular_values_and_freezes_the_rest(tiny_llama):
    path = "model.layers.1.mlp.down_proj"
    original = torch.linalg.svdvals(tiny_llama.model.get_submodule(path).weight)
    model = attached(tiny_llama.model, init="pissa")
    layer = model.get_submodule(f"base_model.model.{path}")
    rest = torch.linalg.svdvals(layer.get_base_layer().weight)
    trained = torch.linalg.svdvals(layer.get_delta_weight("default"))
    torch.testing.assert_close(trained[:4], original[:4], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(rest[: len(original) - 4], original[4:], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("init", ["pissa", "pissa_niter_2"])
def test_pissa_cuts_the_weights_the_same_way_whatever_was_drawn_before(tiny_llama, init):
    torch.manual_seed(1)
    one = attached(tiny_llama.model, init=init)
    torch.manual_seed(2)
    torch.rand(7)
    other = attached(tiny_llama.model, init=init)
    for (name, first), second in zip(one.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(first, second), name


def test_fast_pissa_leaves_the_stream_of_random_numbers_alone(tiny_llama):
    def drawn(**fields):
        torch.manual_seed(1)
        attached(tiny_llama.model, **fields)
        return torch.rand(3)

    assert torch.equal(drawn(), drawn(init="pissa_niter_2"))


def test_a_pissa_adapter_is_saved_as_plain_lora_of_twice_the_rank(tiny_llama, tmp_path):
    config = LoraConfig(rank=4, init="pissa")
    save(attached(tiny_llama.model, init="pissa"), config, tmp_path)
    saved = json.loads((tmp_path / "adapter_config.json").read_text())
    assert (saved["r"], saved["lora_alpha"], saved["init_lora_weights"]) == (8, 32, True)


def test_pissa_refuses_a_rank_with_too_few_singular_values_and_changes_nothing(tiny_llama):
    model = copy.deepcopy(tiny_llama.model)
    before = logits(model)
    with pytest.raises(ModelError, match=r"rank 65 .*k_proj' is 64 x 192") as caught:
        attach(model, LoraConfig(rank=65, init="pissa"))
    assert "at most 64" in caught.value.mend
    assert torch.equal(logits(model), before)


@pytest.mark.parametrize("target", ["embed_tokens", "lm_head"])
def test_pissa_does_not_take_the_embeddings_apart(tiny_llama, target):
    config = LoraConfig(init="pissa", target_modules=[target])
    with quiet_libraries(), pytest.raises(ModelError, match=f"cannot begin at .*{target}"):
        attach(copy.deepcopy(tiny_llama.model), config)


def test_an_unknown_beginning_is_refused_with_the_near_name():
    for init in ("pisa", "pissa_niter_0", "pissa_niter_"):
        with pytest.raises(ValidationError, match="did you mean 'pissa"):
            LoraConfig(init=init)


def test_a_layer_that_does_not_multiply_is_no_target(tiny_llama):
    config = LoraConfig(target_modules=["input_layernorm"])
    with pytest.raises(ModelError, match="no layer called 'input_layernorm'"):
        attach(copy.deepcopy(tiny_llama.model), config)


def test_lora_plus_speeds_up_b_alone():
    config = LoraConfig(learning_rate_ratio=16)
    layer = "language_model.base_model.model.model.layers.0.mlp.up_proj"
    assert learning_rate_scale(f"{layer}.lora_B.default.weight", config) == 16
    for name in ("lora_A.default.weight", "lora_magnitude_vector.default.weight"):
        assert learning_rate_scale(f"{layer}.{name}", config) == 1
    assert learning_rate_scale(f"{layer}.lora_B.default.weight", LoraConfig()) == 1
