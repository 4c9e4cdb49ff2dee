from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

from tuneval.errors import ModelError
from tuneval.models.forward import evaluating
from tuneval.models.generation import generate
from tuneval.models.likelihood import measure_likelihood
from tuneval.models.load import load_model
from tuneval.models.methods import (
    BottleneckConfig,
    FullConfig,
    LoraConfig,
    attach,
    carries_adapter,
    count_parameters,
    save,
)
from tuneval.models.methods.bottleneck_layers import read

IDS = torch.tensor([[5, 6, 7, 8, 9, 10]])
FAMILIES = ["llama", "qwen3", "gemma2", "gemma3", "gpt2", "glm", "opt", "mixtral"]
HOULSBY = BottleneckConfig(size=8)
PFEIFFER = BottleneckConfig(size=8, placement="pfeiffer")


@pytest.fixture(name="base_of")
def _base_of(tiny_llama, family_model):
    """A function from a family's name to a copy of its tiny model."""
    return lambda name: copy.deepcopy(tiny_llama.model if name == "llama" else family_model(name))


def logits(model) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(input_ids=IDS).logits


def as_trained(model):
    """The model with adapters that are far from where they began."""
    torch.manual_seed(3)
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.2)
    return model


def saved(model, config, folder):
    folder.mkdir()
    save(model, config, folder)
    return folder


@pytest.mark.parametrize("config", [HOULSBY, PFEIFFER], ids=["houlsby", "pfeiffer"])
@pytest.mark.parametrize("family", FAMILIES)
def test_an_untrained_adapter_changes_nothing_and_a_trained_one_does(base_of, family, config):
    base = base_of(family)
    expected = logits(base)
    model = attach(base, config)
    assert torch.equal(logits(model), expected)
    assert not torch.allclose(logits(as_trained(model)), expected, atol=1e-2)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("config", "per_layer"), [(HOULSBY, 2), (PFEIFFER, 1)])
def test_every_layer_gets_its_adapters_and_nothing_else_is_trained(
    base_of, family, config, per_layer
):
    base = base_of(family)
    total, layers = count_parameters(base).total, base.config.num_hidden_layers
    model = attach(base, config)
    width = base.config.hidden_size
    count = count_parameters(model)
    assert count.trainable == layers * per_layer * (2 * width * 8 + 8 + width)
    assert count.total == total + count.trainable
    as_trained(model)(input_ids=IDS).logits.square().sum().backward()
    for name, parameter in model.named_parameters():
        has_gradient = parameter.grad is not None and bool(parameter.grad.any())
        assert has_gradient == parameter.requires_grad == (".bottleneck." in name), name


@pytest.mark.parametrize("config", [HOULSBY, PFEIFFER], ids=["houlsby", "pfeiffer"])
def test_adapters_stand_between_sublayer_and_residual_stream(tiny_llama, config):
    """Figure 2 of Houlsby et al. by hand, in the order of a Llama layer."""
    base = tiny_llama.model.model
    model = as_trained(attach(copy.deepcopy(tiny_llama.model), config))
    own = {name: p for name, p in model.named_parameters() if p.requires_grad}

    def adapted(path: str, hidden: torch.Tensor) -> torch.Tensor:
        if f"{path}.bottleneck.up.weight" not in own:
            return hidden
        w = {n: own[f"{path}.bottleneck.{n}"] for n in ("down.weight", "down.bias")}
        inner = torch.nn.functional.gelu(hidden @ w["down.weight"].T + w["down.bias"])
        up = own[f"{path}.bottleneck.up.weight"], own[f"{path}.bottleneck.up.bias"]
        return hidden + inner @ up[0].T + up[1]

    causal = torch.full((6, 6), float("-inf")).triu(1)[None, None]
    with torch.no_grad():
        hidden = base.embed_tokens(IDS)
        angles = base.rotary_emb(hidden, torch.arange(6)[None])
        for number, layer in enumerate(base.layers):
            path = f"model.layers.{number}"
            read = layer.input_layernorm(hidden)
            heard, _ = layer.self_attn(read, position_embeddings=angles, attention_mask=causal)
            hidden = hidden + adapted(f"{path}.self_attn", heard)
            thought = layer.mlp(layer.post_attention_layernorm(hidden))
            hidden = hidden + adapted(f"{path}.mlp", thought)
        expected = tiny_llama.model.lm_head(base.norm(hidden))
    assert (f"{path}.self_attn.bottleneck.up.weight" in own) == (config.placement == "houlsby")
    torch.testing.assert_close(logits(model), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("nonlinearity", ["relu", "gelu", "silu", "tanh"])
def test_the_nonlinearity_is_the_one_that_was_asked_for(tiny_llama, nonlinearity):
    config = BottleneckConfig(size=8, nonlinearity=nonlinearity)
    model = as_trained(attach(copy.deepcopy(tiny_llama.model), config))
    adapter = model.model.layers[0].mlp.bottleneck
    hidden = torch.linspace(-3, 3, 192)[None]
    function = getattr(torch.nn.functional, nonlinearity)
    expected = hidden + adapter.up(function(adapter.down(hidden)))
    torch.testing.assert_close(adapter(hidden), expected, rtol=1e-5, atol=1e-5)


def test_dropout_works_in_training_alone(tiny_llama):
    config = BottleneckConfig(size=64, dropout=0.5)
    model = as_trained(attach(copy.deepcopy(tiny_llama.model), config))
    assert torch.equal(logits(model), logits(model))
    adapter = model.train().model.layers[0].mlp.bottleneck
    assert not torch.equal(adapter(torch.ones(1, 192)), adapter(torch.ones(1, 192)))


def test_a_copy_has_adapters_of_its_own(tiny_llama):
    model = as_trained(attach(copy.deepcopy(tiny_llama.model), HOULSBY))
    before = logits(model)
    other = copy.deepcopy(model)
    assert torch.equal(logits(other), before)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.zero_()
    assert torch.equal(logits(other), before)
    assert torch.equal(logits(model), logits(tiny_llama.model))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("config", [HOULSBY, PFEIFFER], ids=["houlsby", "pfeiffer"])
def test_what_was_saved_loads_with_the_same_logits(base_of, family, config, tmp_path):
    base = base_of(family)
    base.save_pretrained(tmp_path / "base")
    model = as_trained(attach(base, config))
    expected = logits(model)
    folder = saved(model, config, tmp_path / "adapter")
    assert {p.name for p in folder.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
    }
    other = base_of(family)
    read(other, folder)
    assert torch.equal(logits(other), expected)
    assert other.bottleneck_config == config


@pytest.fixture(name="adapter")
def _adapter(tiny_llama, tiny_llama_folder, tmp_path):
    """The folder of an adapter that was trained on the tiny Llama."""
    config = BottleneckConfig(size=8, nonlinearity="silu", placement="pfeiffer", dropout=0.1)
    model = as_trained(attach(load_model(str(tiny_llama_folder)).model, config))
    return saved(model, config, tmp_path / "adapter")


def test_the_adapters_config_says_what_it_is_and_what_it_belongs_to(adapter, tiny_llama_folder):
    assert json.loads((adapter / "adapter_config.json").read_text()) == {
        "peft_type": "TUNEVAL_BOTTLENECK",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": str(tiny_llama_folder),
        "size": 8,
        "nonlinearity": "silu",
        "placement": "pfeiffer",
        "dropout": 0.1,
    }


@pytest.mark.parametrize("adapters", ["merged", "attached"])
def test_the_folder_alone_names_the_model_and_the_adapter_stays_attached(
    adapter, tiny_llama, tiny_llama_folder, adapters
):
    loaded = load_model(str(adapter), adapters=adapters)
    assert carries_adapter(loaded.model)
    assert loaded.adapter == str(adapter)
    assert loaded.hash != tiny_llama.hash
    by_option = load_model(str(tiny_llama_folder), adapter=str(adapter))
    assert torch.equal(logits(loaded.model), logits(by_option.model))
    assert not torch.allclose(logits(loaded.model), logits(tiny_llama.model), atol=1e-2)
    assert not any(p.requires_grad for n, p in loaded.model.named_parameters() if "bottle" in n)


def test_in_bfloat16_the_stream_keeps_its_dtype_and_the_adapters_theirs(adapter, tiny_llama):
    model = load_model(str(adapter), dtype="bfloat16").model
    assert model.model.layers[0].mlp.bottleneck.up.weight.dtype == torch.float32
    assert model.model.layers[0].mlp.up_proj.weight.dtype == torch.bfloat16
    precise = logits(load_model(str(adapter)).model)
    found = logits(model)
    assert found.dtype == torch.bfloat16
    assert (found.float() - precise).std() < 0.05 * precise.std()


@pytest.mark.parametrize("arrange", ["packed", "padded"])
@pytest.mark.parametrize("family", FAMILIES)
def test_likelihoods_are_those_of_the_adapted_model(base_of, requests, naive, family, arrange):
    model = as_trained(attach(base_of(family), HOULSBY)).eval()
    found = measure_likelihood(model, requests, arrange=arrange)
    for ours, theirs in zip(found, naive(model, requests), strict=True):
        np.testing.assert_allclose(ours.logprobs, theirs.logprobs, rtol=0, atol=2e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_answers_are_those_of_the_adapted_model(base_of, family):
    model = as_trained(attach(base_of(family), HOULSBY)).eval()
    prompts = [[7, 8, 9, 10, 11], [7, 8, 12], [40]]
    found = generate(model, prompts, stop_ids=[2], max_new_tokens=6)
    for prompt, completion in zip(prompts, found, strict=True):
        ids = list(prompt)
        with evaluating(model):
            while len(ids) < len(prompt) + 6:
                ids.append(int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
                if ids[-1] == 2:
                    break
        assert list(completion.ids) == [token for token in ids[len(prompt) :] if token != 2]


@pytest.mark.parametrize("config", [HOULSBY, LoraConfig(), FullConfig()], ids=lambda c: c.kind)
def test_nothing_else_is_trained_on_top(adapter, config):
    with pytest.raises(ModelError, match="carries an adapter that cannot be merged"):
        attach(load_model(str(adapter)).model, config)


def test_two_bottleneck_adapters_do_not_go_on_one_model(adapter):
    with pytest.raises(ModelError, match="no other one goes on top of it"):
        load_model(str(adapter), adapter=str(adapter))


def test_weights_that_do_not_fit_are_refused(adapter):
    path = adapter / "adapter_model.safetensors"
    weights = load_file(path)
    whole = dict(weights)
    lost = weights.pop("model.layers.2.mlp.bottleneck.up.bias")
    save_file(weights, path)
    with pytest.raises(
        ModelError, match=r"do not fit.*model\.layers\.2\.mlp\.bottleneck\.up\.bias"
    ):
        load_model(str(adapter))
    save_file(weights | {"model.layers.2.mlp.bottleneck.up.bias": lost[:-1].clone()}, path)
    with pytest.raises(
        ModelError, match=r"do not fit.*model\.layers\.2\.mlp\.bottleneck\.up\.bias"
    ):
        load_model(str(adapter))
    save_file(whole | {"model.layers.9.mlp.bottleneck.up.bias": lost.clone()}, path)
    with pytest.raises(ModelError, match=r"do not fit.*model\.layers\.9"):
        load_model(str(adapter))


def test_a_changed_config_is_refused_with_the_field(adapter):
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"nonlinearity": "sine"}))
    with pytest.raises(ModelError, match=r"adapter_config\.json has nonlinearity: .*'gelu'"):
        load_model(str(adapter))


@pytest.mark.parametrize(
    "fields", [{"size": 0}, {"dropout": 1.0}, {"placement": "everywhere"}, {"reduction": 16}]
)
def test_faults_in_the_config_are_found_before_the_model_is_loaded(fields):
    with pytest.raises(ValidationError):
        BottleneckConfig(**fields)
