"""A base in few bits: what is stored, that it stays the same base, and where it is refused."""

from __future__ import annotations

import copy
import shutil
import sys

import pytest
import torch
from pydantic import ValidationError

from tuneval import files
from tuneval.errors import MissingPackageError, ModelError
from tuneval.models.load import load_model, model_hash
from tuneval.models.methods import LoraConfig, QloraConfig, attach, count_parameters, save
from tuneval.models.quantization import Quantization
from tuneval.models.quiet import quiet_libraries

pytest.importorskip("bitsandbytes")
IDS = torch.arange(5, 60)[None]
each_size = pytest.mark.parametrize("bits", [4, 8])


def quantised(folder, bits, **more):
    return load_model(str(folder), quantization=Quantization(bits=bits), device="cpu", **more)


def logits(model) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(input_ids=IDS).logits.float()


def moved(model):
    """As after a training: every trained number is another one."""
    source = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=source), alpha=0.02)
    return model


@pytest.fixture(scope="module", params=[4, 8])
def trained(request, tiny_llama_folder, tmp_path_factory):
    """The bits, a QLoRA that has learnt something, and its folder as a training leaves it."""
    bits = request.param
    folder = tmp_path_factory.mktemp("qlora") / "adapter"
    folder.mkdir()
    config = QloraConfig(bits=bits, rank=4)
    model = moved(attach(quantised(tiny_llama_folder, bits).model, config))
    save(model, config, folder)
    stored = config.quantization.model_dump(mode="json")
    note = {"base": str(tiny_llama_folder), "quantization": stored}
    files.write_json(folder / "tuneval.json", note)
    return bits, model, folder


@each_size
def test_the_weights_take_a_fraction_of_their_bytes(tiny_llama, tiny_llama_folder, bits):
    model = quantised(tiny_llama_folder, bits).model

    def layer_bytes(of):
        return sum(p.numel() * p.element_size() for p in of.model.layers.parameters() if p.ndim > 1)

    assert layer_bytes(model) == layer_bytes(tiny_llama.model) * bits / 32
    # Random weights are as hard to round as weights can be; the head and embeddings stay.
    far = (logits(model) - logits(tiny_llama.model)).norm() / logits(tiny_llama.model).norm()
    assert 0 < far < {4: 0.6, 8: 0.1}[bits]
    assert torch.equal(model.lm_head.weight, tiny_llama.model.lm_head.weight)


@each_size
def test_parameters_are_counted_as_numbers_not_as_bytes(tiny_llama, tiny_llama_folder, bits):
    model = quantised(tiny_llama_folder, bits).model
    total = count_parameters(tiny_llama.model).total
    assert count_parameters(model).total == total
    config = QloraConfig(bits=bits, rank=4)
    trainable = count_parameters(attach(model, config)).trainable
    plain = attach(copy.deepcopy(tiny_llama.model), LoraConfig(rank=4))
    assert trainable == count_parameters(plain).trainable


@pytest.mark.parametrize(
    "stored", [Quantization(bits=8), Quantization(), Quantization(quant_type="fp4"),
               Quantization(double_quant=False)]
)  # fmt: skip
def test_it_is_the_base_that_transformers_quantises(tiny_llama_folder, stored):
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    settings = BitsAndBytesConfig(
        load_in_4bit=stored.bits == 4,
        load_in_8bit=stored.bits == 8,
        bnb_4bit_quant_type=stored.quant_type,
        bnb_4bit_use_double_quant=stored.double_quant,
    )
    with quiet_libraries():
        plain = AutoModelForCausalLM.from_pretrained(
            tiny_llama_folder, quantization_config=settings, dtype=torch.float32, device_map="cpu"
        )
    ours = load_model(str(tiny_llama_folder), quantization=stored, device="cpu").model
    for (name, one), other in zip(ours.named_parameters(), plain.parameters(), strict=True):
        assert torch.equal(one, other), name
    # In training mode both take the same way through the layers; see `settle`.
    with torch.no_grad():
        assert torch.equal(ours.train()(IDS).logits, plain.train()(IDS).logits)


@each_size
def test_the_codes_do_not_depend_on_the_precision_that_is_computed_in(tiny_llama_folder, bits):
    exact = quantised(tiny_llama_folder, bits).model.state_dict()
    rounded = quantised(tiny_llama_folder, bits, dtype="bfloat16").model
    codes = [n for n, p in rounded.named_parameters() if not p.is_floating_point()]
    assert len(codes) == 4 * 7
    assert all(torch.equal(exact[name], rounded.state_dict()[name]) for name in codes)
    rest = {p.dtype for p in rounded.parameters() if p.is_floating_point()}
    assert rest == {torch.bfloat16}


@each_size
def test_an_untrained_adapter_changes_nothing(tiny_llama_folder, bits):
    model = quantised(tiny_llama_folder, bits).model
    before = logits(model)
    assert torch.equal(logits(attach(model, QloraConfig(bits=bits))), before)


@pytest.mark.parametrize("fields", [{"bits": 4}, {"bits": 8}, {"bits": 4, "use_dora": True}])
def test_gradients_are_the_same_after_the_model_was_evaluated(tiny_llama_folder, fields):
    config = QloraConfig(rank=4, **fields)
    with quiet_libraries():
        model = moved(attach(quantised(tiny_llama_folder, config.bits).model, config))

    def gradients():
        model.train().zero_grad()
        model(input_ids=IDS).logits.logsumexp(-1).sum().backward()
        return {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad}

    before = gradients()
    logits(model)
    after = gradients()
    assert all(gradient.abs().max() > 0 for gradient in before.values())
    assert all(torch.equal(gradient, after[name]) for name, gradient in before.items())


@each_size
def test_evaluation_computes_as_training_does(tiny_llama_folder, bits):
    model = quantised(tiny_llama_folder, bits).model
    evaluated = logits(model)
    with torch.no_grad():
        assert torch.equal(model.train()(IDS).logits, evaluated)


@each_size
def test_what_is_said_of_a_text_does_not_depend_on_what_follows(tiny_llama_folder, bits):
    model = quantised(tiny_llama_folder, bits).model.eval()
    with torch.no_grad():
        found = model(IDS[:, :20]).logits
    torch.testing.assert_close(found, logits(model)[:, :20], rtol=0, atol=1e-4)


def test_four_bit_weights_are_never_repacked_for_a_way_without_gradients(tiny_llama_folder):
    from bitsandbytes.nn import Linear4bit

    model = quantised(tiny_llama_folder, 4).model
    layers = [module for module in model.modules() if isinstance(module, Linear4bit)]
    assert len(layers) == 4 * 7
    assert not any(layer.support_avx512bf16_for_cpu for layer in layers)


def test_what_was_trained_on_a_quantised_base_is_used_on_one(trained, tiny_llama_folder):
    bits, model, folder = trained
    for how in ("merged", "attached"):
        loaded = load_model(str(folder), adapters=how, device="cpu")
        assert loaded.quantization == Quantization(bits=bits)
        torch.testing.assert_close(logits(loaded.model), logits(model), rtol=0, atol=1e-5)
    beside = load_model(str(tiny_llama_folder), adapter=str(folder), device="cpu")
    assert torch.equal(logits(beside.model), logits(loaded.model))


def test_plain_transformers_and_peft_say_the_same(trained, tiny_llama_folder):
    import peft
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    bits, model, folder = trained
    settings = BitsAndBytesConfig(
        load_in_4bit=bits == 4,
        load_in_8bit=bits == 8,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
    )
    with quiet_libraries():
        base = AutoModelForCausalLM.from_pretrained(
            tiny_llama_folder, quantization_config=settings, dtype=torch.float32, device_map="cpu"
        )
        plain = peft.PeftModel.from_pretrained(base, folder)
    with torch.no_grad():
        found, expected = (each.train()(input_ids=IDS).logits for each in (plain, model))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_the_adapter_can_be_merged_into_the_base_in_full_precision(trained, tiny_llama):
    _, model, folder = trained
    merged = load_model(str(folder), quantization=None, device="cpu")
    assert merged.quantization is None
    assert not hasattr(merged.model, "peft_config")
    path = "layers.0.self_attn.q_proj"
    layer = model.base_model.model.model.get_submodule(path)
    change = layer.scaling["default"] * (
        layer.lora_B["default"].weight @ layer.lora_A["default"].weight
    )
    found = merged.model.model.get_submodule(path).weight
    torch.testing.assert_close(
        found, tiny_llama.model.model.get_submodule(path).weight + change, rtol=0, atol=1e-5
    )


def test_a_note_that_cannot_be_understood_is_told(trained, tmp_path):
    _, _, folder = trained
    damaged = tmp_path / "adapter"
    shutil.copytree(folder, damaged)
    note = files.read_json(folder / "tuneval.json")
    files.write_json(damaged / "tuneval.json", note | {"quantization": {"bits": 3}})
    with pytest.raises(ModelError, match="cannot be understood") as caught:
        load_model(str(damaged), device="cpu")
    assert caught.value.where == str(damaged / "tuneval.json")


def test_the_hash_tells_how_the_base_is_stored(trained, tiny_llama_folder):
    _, _, folder = trained
    loaded = load_model(str(folder), device="cpu")
    assert loaded.hash == model_hash(str(folder))
    assert loaded.hash != load_model(str(folder), quantization=None, device="cpu").hash
    hashes = {quantised(tiny_llama_folder, bits).hash for bits in (4, 8)}
    assert len(hashes | {model_hash(str(tiny_llama_folder))}) == 3


def test_a_model_with_an_adapter_is_not_quantised(trained):
    _, _, folder = trained
    with pytest.raises(ModelError, match="cannot be quantised") as caught:
        load_model(str(folder), quantization=Quantization(), device="cpu")
    assert caught.value.where == str(folder)
    assert "tuneval export" in caught.value.mend
    with pytest.raises(ModelError, match="cannot be quantised"):
        load_model(str(folder), adapter=str(folder), device="cpu")


def test_without_bitsandbytes_the_message_says_what_to_install(tiny_llama_folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(MissingPackageError, match="'bitsandbytes' is needed") as caught:
        quantised(tiny_llama_folder, 4)
    assert "tuneval[quant]" in caught.value.mend


@pytest.mark.parametrize("known", [{"cuda", "xpu"}, None])
def test_a_version_that_needs_a_gpu_is_refused_with_the_reason(
    tiny_llama_folder, monkeypatch, known
):
    import bitsandbytes

    if known is None:  # as before version 0.46
        monkeypatch.delattr(bitsandbytes, "supported_torch_devices")
    else:
        monkeypatch.setattr(bitsandbytes, "supported_torch_devices", known)
    with pytest.raises(ModelError, match=r"quantises on cuda.* only, .* works on cpu") as caught:
        quantised(tiny_llama_folder, 8)
    assert "method: lora" in caught.value.mend


def test_what_belongs_to_four_bits_is_refused_with_eight():
    for fields in ({"quant_type": "fp4"}, {"double_quant": False}):
        assert QloraConfig(bits=4, **fields).quantization == Quantization(bits=4, **fields)
        with pytest.raises(ValidationError, match="are of 4 bits"):
            QloraConfig(bits=8, **fields)
    assert QloraConfig(**QloraConfig(bits=8).model_dump()).bits == 8
    with pytest.raises(ValidationError, match=r"use_dora .* needs bits: 4"):
        QloraConfig(bits=8, use_dora=True)
