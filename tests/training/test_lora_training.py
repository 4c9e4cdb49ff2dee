"""Trainings with LoRA, its variants and QLoRA: resumed, packed, checkpointed, evaluated."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import peft
import pytest
import torch
from safetensors.torch import load_file
from sums import sums

from tuneval.data.example import Example
from tuneval.errors import ModelError
from tuneval.files import read_json, read_jsonl
from tuneval.models.generation import generate
from tuneval.models.likelihood import Request, measure_likelihood
from tuneval.models.load import load_model
from tuneval.models.methods import LoraConfig, QloraConfig
from tuneval.models.quantization import Quantization
from tuneval.models.quiet import quiet_libraries
from tuneval.runs.events import Step
from tuneval.training.config import Steps, TrainConfig
from tuneval.training.train import train

METHODS = {
    "rslora": LoraConfig(rank=4, alpha=8, use_rslora=True),
    "dora": LoraConfig(rank=4, use_dora=True),
    "lora+": LoraConfig(rank=4, learning_rate_ratio=4),
    "pissa": LoraConfig(rank=4, alpha=4, init="pissa"),
    "fast pissa": LoraConfig(rank=4, alpha=4, init="pissa_niter_2", dropout=0.1),
    "qlora, 4 bits": QloraConfig(rank=4, bits=4),
    "qlora, 8 bits": QloraConfig(rank=4, bits=8, dropout=0.1),
    "qlora and dora": QloraConfig(rank=4, use_dora=True),
}
WITHOUT_DROPOUT = {
    name: method.model_copy(update={"dropout": 0.0}) for name, method in METHODS.items()
}


def each(methods, *, always: str):
    """All of the methods, but one of them alone in the quick tests."""
    marked = [
        pytest.param(method, id=name, marks=() if name == always else pytest.mark.slow)
        for name, method in methods.items()
    ]
    return pytest.mark.parametrize("method", marked)


def examples(count: int = 8) -> list[Example]:
    return sums(count, instructed=False)


def run(folder: Path, model: Path, method, *, report=lambda event: None, **changes) -> Path:
    settings = {
        "method": method,
        "duration": Steps(steps=4),
        "optimizer": {"learning_rate": 5e-3},
        "schedule": {"kind": "constant", "warmup_ratio": 0.0},
        "batches": {"max_length": 192},
        "record": {"save_steps": 2},
    }
    config = TrainConfig(**(settings | changes))
    train(
        config, model=str(model), examples=examples(), folder=folder, template="chatml",
        report=report,
    )  # fmt: skip
    return folder / "adapter"


def interrupt_after(step: int):
    def report(event):
        if isinstance(event, Step) and event.done == step:
            raise KeyboardInterrupt

    return report


def losses(folder: Path) -> list[float]:
    return [row["loss"] for row in read_jsonl(folder / "trainer_log.jsonl")]


def weights(adapter: Path) -> dict[str, torch.Tensor]:
    return load_file(adapter / "adapter_model.safetensors")


@each(METHODS, always="fast pissa")
def test_the_loss_falls_and_a_resumed_run_ends_with_the_same_bytes(
    tmp_path, tiny_llama_folder, method
):
    whole = run(tmp_path / "whole", tiny_llama_folder, method)
    found = losses(tmp_path / "whole")
    assert found[-1] < 0.95 * found[0]
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", tiny_llama_folder, method, report=interrupt_after(3))
    torch.rand(11)  # what was drawn before a run must not matter
    resumed = run(tmp_path / "cut", tiny_llama_folder, method)
    for name in ("adapter_model.safetensors", "adapter_config.json", "tuneval.json"):
        assert (resumed / name).read_bytes() == (whole / name).read_bytes(), name


@each(WITHOUT_DROPOUT, always="pissa")
def test_packed_rows_teach_what_one_example_at_a_time_teaches(tmp_path, tiny_llama_folder, method):
    alone = {"packing": False, "max_length": 192, "batch_size": 8}
    packed = {"max_length": 192, "gradient_accumulation_steps": 16}
    at_once = {"duration": Steps(steps=2)}
    run(tmp_path / "a", tiny_llama_folder, method, batches=alone, **at_once)
    run(tmp_path / "b", tiny_llama_folder, method, batches=packed, **at_once)
    assert losses(tmp_path / "a") == pytest.approx(losses(tmp_path / "b"), rel=1e-3)


@each(WITHOUT_DROPOUT, always="dora")
def test_gradient_checkpointing_saves_memory_not_digits(tmp_path, tiny_llama_folder, method):
    at_once = {"duration": Steps(steps=3)}
    run(tmp_path / "a", tiny_llama_folder, method, **at_once)
    saving = {"gradient_checkpointing": True}
    run(tmp_path / "b", tiny_llama_folder, method, precision=saving, **at_once)
    assert losses(tmp_path / "a") == pytest.approx(losses(tmp_path / "b"), rel=1e-4)


@each(METHODS, always="qlora, 4 bits")
def test_bfloat16_arithmetic_learns_float32_matrices(tmp_path, tiny_llama_folder, method):
    adapter = run(tmp_path, tiny_llama_folder, method, precision={"kind": "bfloat16"})
    assert {value.dtype for value in weights(adapter).values()} == {torch.float32}
    assert losses(tmp_path)[-1] < 0.95 * losses(tmp_path)[0]


def plain_model(base: Path, adapter: Path, method):
    """The adapter on its base as a user of transformers and peft alone has it."""
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    options = {}
    if method.kind == "qlora":
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=method.bits == 4,
            load_in_8bit=method.bits == 8,
            bnb_4bit_quant_type=method.quant_type,
            bnb_4bit_use_double_quant=method.double_quant,
        )
    with quiet_libraries():
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, **options)
        return peft.PeftModel.from_pretrained(model, adapter)


@each(WITHOUT_DROPOUT, always="qlora, 8 bits")
def test_likelihoods_and_answers_are_those_of_plain_peft(tmp_path, tiny_llama_folder, method):
    adapter = run(tmp_path, tiny_llama_folder, method)
    # In evaluation mode bitsandbytes rounds more than it does in training; there is no dropout.
    plain = plain_model(tiny_llama_folder, adapter, method).train()
    ids = list(range(20, 60))
    with torch.no_grad():
        logits = plain(input_ids=torch.tensor([ids])).logits[0]
    expected = [logits[i - 1].log_softmax(-1)[ids[i]].item() for i in range(1, 40)]
    for how in ("attached", "merged"):
        model = load_model(str(adapter), adapters=how, device="cpu").model
        found = measure_likelihood(model, [Request(ids[:n], ids[n:]) for n in (1, 17, 38)])
        for n, likelihood in zip((1, 17, 38), found, strict=True):
            np.testing.assert_allclose(likelihood.logprobs, expected[n - 1 :], atol=1e-4)
        (answer,) = generate(model, [ids], stop_ids=[], max_new_tokens=1)
        assert list(answer.ids) == [logits[-1].argmax().item()]


def test_lora_plus_takes_steps_of_b_that_are_so_much_longer(tmp_path, tiny_llama_folder):
    one_step = {"duration": Steps(steps=1), "optimizer": {"learning_rate": 1e-3}}
    method = LoraConfig(rank=4, learning_rate_ratio=4)
    adapter = run(tmp_path, tiny_llama_folder, method, **one_step)
    # Adam's first step is the learning rate long in every direction, and B begins as zero.
    b = torch.cat([v.flatten() for n, v in weights(adapter).items() if "lora_B" in n])
    assert b.abs().median() == pytest.approx(4e-3, rel=0.01)
    assert read_jsonl(tmp_path / "trainer_log.jsonl")[0]["lr"] == 1e-3


def test_a_pissa_run_records_what_was_asked_and_saves_plain_lora(tmp_path, tiny_llama_folder):
    adapter = run(tmp_path, tiny_llama_folder, METHODS["pissa"], duration=Steps(steps=1))
    assert read_json(adapter / "tuneval.json")["method"]["init"] == "pissa"
    config = read_json(adapter / "adapter_config.json")
    assert (config["r"], config["lora_alpha"]) == (8, 8)
    counted = json.loads((tmp_path / "train_results.json").read_text())
    assert math.isfinite(counted["train_loss"])


def test_a_quantised_run_records_how_its_base_is_stored(tmp_path, tiny_llama_folder):
    adapter = run(tmp_path, tiny_llama_folder, METHODS["qlora, 4 bits"], duration=Steps(steps=1))
    kept = read_json(adapter / "tuneval.json")["quantization"]
    assert kept == {"bits": 4, "quant_type": "nf4", "double_quant": True}
    assert load_model(str(adapter), device="cpu").quantization == Quantization()


def test_a_quantised_training_does_not_begin_on_an_adapter(tmp_path, tiny_llama_folder):
    first = run(tmp_path / "a", tiny_llama_folder, LoraConfig(rank=4), duration=Steps(steps=1))
    with pytest.raises(ModelError, match="cannot be quantised"):
        run(tmp_path / "b", first, METHODS["qlora, 4 bits"])


def test_lora_goes_on_from_a_quantised_run_in_full_precision(tmp_path, tiny_llama_folder):
    method = METHODS["qlora, 4 bits"]
    first = run(tmp_path / "a", tiny_llama_folder, method, duration=Steps(steps=1))
    second = run(tmp_path / "b", first, LoraConfig(rank=4), duration=Steps(steps=1))
    loaded = load_model(str(second), device="cpu")
    assert loaded.quantization is None
    assert not hasattr(loaded.model, "peft_config")
