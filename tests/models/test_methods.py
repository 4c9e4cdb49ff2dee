from __future__ import annotations

import copy

import pytest
import torch
from pydantic import BaseModel, Field, ValidationError

from tuneval.errors import ModelError
from tuneval.models.methods import (
    FullConfig,
    LoraConfig,
    MethodConfig,
    attach,
    count_parameters,
)


class Asked(BaseModel):
    method: MethodConfig = Field(discriminator="kind")


def test_the_kind_chooses_the_method():
    assert isinstance(Asked(method={"kind": "full"}).method, FullConfig)
    assert Asked(method={"kind": "lora", "rank": 4}).method == LoraConfig(rank=4)


@pytest.mark.parametrize(
    "method",
    [{"kind": "full", "rank": 8}, {"kind": "lora", "rnk": 8}, {"kind": "lora", "rank": 0},
     {"kind": "lora", "dropout": 1.0}, {"kind": "lora", "target_modules": []}, {"kind": "none"}],
)  # fmt: skip
def test_a_field_that_does_not_belong_is_an_error(method):
    with pytest.raises(ValidationError):
        Asked(method=method)


def test_full_tuning_trains_every_weight(tiny_llama):
    model = attach(copy.deepcopy(tiny_llama.model).requires_grad_(False), FullConfig())
    count = count_parameters(model)
    assert count.trainable == count.total == sum(p.numel() for p in model.parameters())
    assert count.share == 1


def test_lora_trains_two_small_matrices_beside_each_linear_layer_but_the_head(tiny_llama):
    model = attach(copy.deepcopy(tiny_llama.model), LoraConfig(rank=4))
    trainable, total = count_parameters(model)
    # Per layer q 192→192, k and v 192→64, o 192→192, gate and up 192→512, down 512→192.
    shapes = [(192, 192), (192, 64), (192, 64), (192, 192), (192, 512), (192, 512), (512, 192)]
    assert trainable == 4 * sum(4 * (rows + columns) for rows, columns in shapes)
    assert total == trainable + count_parameters(tiny_llama.model).total
    assert not any("lm_head" in name for name, p in model.named_parameters() if p.requires_grad)


def test_an_untrained_adapter_changes_nothing(tiny_llama):
    ids = torch.tensor([[5, 6, 7, 8]])
    model = attach(copy.deepcopy(tiny_llama.model), LoraConfig()).eval()
    with torch.no_grad():
        assert torch.equal(model(input_ids=ids).logits, tiny_llama.model(input_ids=ids).logits)


def test_named_layers_alone_are_adapted(tiny_llama):
    config = LoraConfig(target_modules=["q_proj", "v_proj"])
    model = attach(copy.deepcopy(tiny_llama.model), config)
    adapted = {
        n.split(".lora_")[0].split(".")[-1] for n, _ in model.named_parameters() if "lora_" in n
    }
    assert adapted == {"q_proj", "v_proj"}


def test_a_layer_that_is_not_there_is_refused_with_the_near_name(tiny_llama):
    config = LoraConfig(target_modules=["q_proj", "query_proj"])
    with pytest.raises(ModelError, match="no layer called 'query_proj'") as caught:
        attach(copy.deepcopy(tiny_llama.model), config)
    assert "q_proj" in caught.value.mend
