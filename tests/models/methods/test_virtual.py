"""Configs of the methods with virtual tokens, and what of them is trained."""

from __future__ import annotations

import copy

import pytest
from pydantic import BaseModel, Field, ValidationError

from tuneval.errors import ModelError, UsageError
from tuneval.models.methods import (
    MethodConfig,
    PrefixConfig,
    PromptConfig,
    PTuningConfig,
    PTuningV2Config,
    attach,
    count_parameters,
)


class Asked(BaseModel):
    method: MethodConfig = Field(discriminator="kind")


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("prompt", PromptConfig()),
        ("p_tuning", PTuningConfig()),
        ("prefix", PrefixConfig()),
        ("p_tuning_v2", PTuningV2Config()),
    ],
)
def test_the_kind_chooses_the_method_and_none_can_be_merged(kind, config):
    assert Asked(method={"kind": kind}).method == config
    assert config.virtual_tokens == 20
    assert config.saved_as == "adapter"
    assert "in front of the input" in config.cannot_merge
    assert config.cannot_checkpoint == ""


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ({"kind": "prompt", "init": "text"}, "needs an init_text"),
        ({"kind": "prompt", "init": "text", "init_text": "  "}, "needs an init_text"),
        ({"kind": "prompt", "init_text": "Sum up."}, "init_text is for init 'text'"),
        ({"kind": "p_tuning_v2", "init": "random"}, "'vocabulary' or 'text'"),
        ({"kind": "p_tuning", "encoder_layers": 3}, "encoder_layers is for encoder 'lstm'"),
        ({"kind": "p_tuning", "encoder_dropout": 0.1}, "encoder_dropout is for encoder 'lstm'"),
        (
            {"kind": "p_tuning", "encoder": "lstm", "encoder_layers": 1, "encoder_dropout": 0.1},
            "between layers, and there is one",
        ),
        ({"kind": "prefix", "virtual_tokens": 0}, "greater than or equal to 1"),
        ({"kind": "prefix", "num_virtual_tokens": 8}, "Extra inputs are not permitted"),
    ],
)
def test_what_does_not_go_together_is_an_error(method, fault):
    with pytest.raises(ValidationError, match=fault):
        Asked(method=method)


# The tiny Llama is 192 wide, with 4 layers and 2 heads of 32 for keys and values.
WIDTH, LAYERS, STATES = 192, 4, 64


@pytest.mark.parametrize(
    ("method", "trained"),
    [
        (PromptConfig(virtual_tokens=5), 5 * WIDTH),
        (PTuningV2Config(virtual_tokens=5), 5 * LAYERS * 2 * STATES),
        (
            PrefixConfig(virtual_tokens=5, encoder_hidden_size=7),
            5 * STATES + (STATES + 1) * 7 + (7 + 1) * LAYERS * 2 * STATES,
        ),
        (
            PTuningConfig(virtual_tokens=5, encoder_hidden_size=7),
            5 * WIDTH + (WIDTH + 1) * 7 + (7 + 1) * 7 + (7 + 1) * WIDTH,
        ),
        (
            PTuningConfig(virtual_tokens=5, encoder="lstm", encoder_hidden_size=7),
            5 * WIDTH
            + 2 * 4 * 7 * (WIDTH + 7 + 2)  # both ways, four gates, two biases
            + 2 * 4 * 7 * (14 + 7 + 2)
            + (14 + 1) * 14
            + (14 + 1) * WIDTH,
        ),
        (
            PTuningConfig(virtual_tokens=5),
            5 * WIDTH + 3 * (WIDTH + 1) * WIDTH,
        ),
    ],
    ids=["prompt", "p_tuning_v2", "prefix", "mlp", "lstm", "as wide as the model"],
)  # fmt: skip
def test_only_what_makes_the_virtual_tokens_is_trained(tiny_llama, method, trained):
    model = attach(copy.deepcopy(tiny_llama.model), method)
    assert count_parameters(model) == (trained, trained + count_parameters(tiny_llama.model).total)
    assert all("prompt_encoder" in n for n, p in model.named_parameters() if p.requires_grad)


@pytest.mark.parametrize("kind", [PromptConfig, PTuningV2Config])
def test_a_text_needs_a_tokenizer_that_makes_tokens_of_it(tiny_llama, kind):
    method = kind(init="text", init_text="Sum up.")
    with pytest.raises(UsageError, match="needs the model's tokenizer"):
        attach(copy.deepcopy(tiny_llama.model), method)
    with pytest.raises(ModelError, match=r"makes no tokens of 'Sum up\.'"):
        attach(copy.deepcopy(tiny_llama.model), method, lambda text, **_: {"input_ids": []})
