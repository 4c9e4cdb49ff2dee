"""Runs that train virtual tokens: what they leave, and that a killed one ends the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from sums import sums

from tuneval.data.example import Example
from tuneval.errors import ModelError
from tuneval.files import read_json, read_jsonl
from tuneval.models.likelihood import Request, measure_likelihood
from tuneval.models.load import load_model
from tuneval.models.methods import PrefixConfig, PromptConfig, PTuningConfig, PTuningV2Config
from tuneval.runs.events import Step
from tuneval.training.config import TrainConfig
from tuneval.training.train import train

METHODS = {
    "prompt": (PromptConfig(virtual_tokens=8), 3e-2),
    "p_tuning": (PTuningConfig(virtual_tokens=8, encoder_hidden_size=32), 5e-3),
    "lstm": (
        PTuningConfig(
            virtual_tokens=8, encoder="lstm", encoder_hidden_size=32, encoder_dropout=0.2
        ),
        5e-3,
    ),
    "prefix": (PrefixConfig(virtual_tokens=8, encoder_hidden_size=32), 5e-3),
    "p_tuning_v2": (PTuningV2Config(virtual_tokens=8), 3e-2),
}
EVERY_METHOD = pytest.mark.parametrize("name", METHODS)


def examples() -> list[Example]:
    return sums(6)


def config(name: str, *, steps: int = 10, **changes) -> TrainConfig:
    method, learning_rate = METHODS[name]
    settings = {
        "method": method,
        "duration": {"steps": steps},
        "optimizer": {"learning_rate": learning_rate},
        "schedule": {"warmup_ratio": 0.0},
        "batches": {"max_length": 192},
        "record": {"save_steps": 5},
    }
    return TrainConfig(**settings | changes)


def run(folder: Path, model: Path, cfg: TrainConfig, report=lambda event: None):
    return train(
        cfg,
        model=str(model),
        examples=examples(),
        folder=folder,
        template="chatml",
        report=report,
    )


def saved(folder: Path) -> Path:
    return folder / "adapter" / "adapter_model.safetensors"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, tiny_llama_folder):
    """A function: the folder of a method's run of ten steps, made once, and its result."""
    made = {}

    def get(name: str):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            made[name] = (folder, run(folder, tiny_llama_folder, config(name)))
        return made[name]

    return get


@EVERY_METHOD
def test_the_loss_falls_and_plain_peft_loads_what_was_learnt(undisturbed, tiny_llama_folder, name):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    folder, result = undisturbed(name)
    losses = [row["loss"] for row in read_jsonl(folder / "trainer_log.jsonl") if "loss" in row]
    assert sum(losses[-3:]) < 0.93 * sum(losses[:3])
    assert 0 < result.trainable_parameters < result.total_parameters
    base = AutoModelForCausalLM.from_pretrained(tiny_llama_folder)
    plain = PeftModel.from_pretrained(base, folder / "adapter").eval()
    ours = load_model(str(folder / "adapter")).model
    ids = torch.tensor([[5, 6, 7, 8, 9]])
    with torch.no_grad():
        logits = plain(ids).logits[0, -3:-1].log_softmax(-1)
    expected = logits[[0, 1], [8, 9]].tolist()
    (found,) = measure_likelihood(ours, [Request([5, 6, 7], [8, 9])])
    assert found.logprobs.tolist() == pytest.approx(expected, abs=1e-4)


@EVERY_METHOD
def test_an_interrupted_run_ends_with_the_bytes_of_an_undisturbed_one(
    tmp_path, undisturbed, tiny_llama_folder, name
):
    def stop(event):
        if isinstance(event, Step) and event.stage == "train" and event.done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, tiny_llama_folder, config(name), report=stop)
    assert not saved(tmp_path).exists()
    run(tmp_path, tiny_llama_folder, config(name))
    whole, _ = undisturbed(name)
    assert saved(tmp_path).read_bytes() == saved(whole).read_bytes()


@pytest.mark.parametrize("name", ["lstm", "prefix"])
def test_checkpoints_hold_the_encoder_and_the_adapter_what_it_makes(undisturbed, name):
    folder, _ = undisturbed(name)
    checkpoint = load_file(folder / "checkpoints/checkpoint-10/trained_state.safetensors")
    assert len(checkpoint) > 3
    assert all("prompt_encoder" in key for key in checkpoint)
    assert list(load_file(saved(folder))) == ["prompt_embeddings"]


@pytest.mark.parametrize("name", ["lstm", "prefix"])
def test_bfloat16_arithmetic_trains_float32_weights(tmp_path, tiny_llama_folder, name):
    run(tmp_path, tiny_llama_folder, config(name, steps=2, precision={"kind": "bfloat16"}))
    checkpoint = load_file(tmp_path / "checkpoints/checkpoint-2/trained_state.safetensors")
    assert {value.dtype for value in checkpoint.values()} == {torch.float32}


def test_shared_beginnings_and_checkpointed_gradients_change_no_result(tmp_path, tiny_llama_folder):
    cfg = config("prefix", steps=2, batches={"max_length": 192, "batch_size": 2})
    run(tmp_path / "a", tiny_llama_folder, cfg)
    thrifty = config(
        "prefix",
        steps=2,
        batches={"max_length": 192, "gradient_accumulation_steps": 2, "share_prefix": False},
        precision={"gradient_checkpointing": True},
    )
    run(tmp_path / "b", tiny_llama_folder, thrifty)
    one, other = (load_file(saved(tmp_path / side))["prompt_embeddings"] for side in "ab")
    torch.testing.assert_close(one, other, rtol=1e-3, atol=2e-4)


def test_no_text_of_the_config_but_its_own_is_in_the_adapter(tmp_path, tiny_llama_folder):
    method = PromptConfig(virtual_tokens=8, init="text", init_text="Add the two numbers.")
    run(tmp_path, tiny_llama_folder, config("prompt", steps=2, method=method))
    adapter = read_json(tmp_path / "adapter" / "adapter_config.json")
    assert adapter["tokenizer_name_or_path"] is None
    note = read_json(tmp_path / "adapter" / "tuneval.json")
    assert note["method"]["init_text"] == "Add the two numbers."


def test_an_example_that_leaves_no_room_for_virtual_tokens_is_refused(tmp_path, tiny_llama_folder):
    method = PromptConfig(virtual_tokens=2000)
    with pytest.raises(ModelError, match="the model reads 48 besides its virtual ones") as caught:
        run(tmp_path, tiny_llama_folder, config("prompt", method=method))
    assert caught.value.where == "batches.max_length"
    assert "48 or less" in caught.value.mend
