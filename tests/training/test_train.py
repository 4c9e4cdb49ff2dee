from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from sums import sums

from tuneval.data.example import Example, Message, Source
from tuneval.errors import DataError, RunError
from tuneval.files import read_jsonl
from tuneval.models.methods import FullConfig, LoraConfig
from tuneval.runs.events import Saved, Started, Step, Warned
from tuneval.training.config import Epochs, Steps, TrainConfig
from tuneval.training.train import train


def examples(count: int = 24) -> list[Example]:
    return sums(count)


def config(**changes) -> TrainConfig:
    settings = {
        "method": LoraConfig(rank=4),
        "duration": Steps(steps=6),
        "optimizer": {"learning_rate": 5e-3},
        "schedule": {"warmup_ratio": 0.0},
        "batches": {"max_length": 256},
        "record": {"save_steps": 3},
    }
    for name, change in changes.items():
        known = settings.get(name)
        is_section = isinstance(known, dict) and isinstance(change, dict)
        settings[name] = known | change if is_section else change
    return TrainConfig(**settings)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "adapter" / "adapter_model.safetensors")


def run(folder: Path, model: Path, cfg: TrainConfig, **more):
    events = []
    result = train(
        cfg,
        model=str(model),
        examples=more.pop("data", examples()),
        folder=folder,
        template="chatml",
        report=events.append,
        **more,
    )
    return result, events


def test_the_loss_falls_and_the_known_files_are_there(tmp_path, tiny_llama_folder):
    result, events = run(tmp_path, tiny_llama_folder, config(duration=Steps(steps=40)))
    log = read_jsonl(tmp_path / "trainer_log.jsonl")
    assert len(log) == 40
    assert log[-1]["loss"] < 0.8 * log[0]["loss"]
    assert {"current_steps", "total_steps", "loss", "lr", "epoch", "percentage"} <= set(log[0])
    assert {"elapsed_time", "remaining_time", "throughput", "total_tokens"} <= set(log[0])
    for name in (
        "trainer_log.jsonl",
        "trainer_state.json",
        "train_results.json",
        "all_results.json",
        "training_loss.png",
        "model_reference.json",
        "adapter/adapter_model.safetensors",
        "adapter/adapter_config.json",
        "adapter/README.md",
    ):
        assert (tmp_path / name).stat().st_size > 0, name
    results = json.loads((tmp_path / "train_results.json").read_text())
    assert list(results) == sorted(results)
    assert {"epoch", "total_flos", "train_loss", "train_runtime"} <= set(results)
    assert {"train_samples_per_second", "train_steps_per_second"} <= set(results)
    state = json.loads((tmp_path / "trainer_state.json").read_text())
    assert state["global_step"] == 40
    assert result.train_loss == pytest.approx(sum(row["loss"] for row in log) / 40)
    assert result.trainable_parameters < result.total_parameters
    assert events[0] == Started("train", 40, "steps")
    assert [e.done for e in events if isinstance(e, Step)] == list(range(1, 41))
    assert any(isinstance(e, Saved) for e in events)


def test_one_step_of_eight_equals_eight_accumulated_steps_of_one(tmp_path, tiny_llama_folder):
    common = {"duration": Steps(steps=3), "optimizer": {"learning_rate": 1e-3}}
    alone = {"packing": False}
    at_once = config(batches=alone | {"batch_size": 8}, **common)
    run(tmp_path / "a", tiny_llama_folder, at_once)
    in_turn = config(batches=alone | {"gradient_accumulation_steps": 8}, **common)
    run(tmp_path / "b", tiny_llama_folder, in_turn)
    one, many = weights(tmp_path / "a"), weights(tmp_path / "b")
    for name, value in one.items():
        torch.testing.assert_close(value, many[name], rtol=1e-3, atol=2e-5, msg=name)
    losses = [
        [row["loss"] for row in read_jsonl(tmp_path / side / "trainer_log.jsonl")]
        for side in ("a", "b")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_saved_adapters_load_in_plain_peft_and_give_the_same_logits(tmp_path, tiny_llama_folder):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from tuneval.models.load import load_model

    run(tmp_path, tiny_llama_folder, config())
    base = AutoModelForCausalLM.from_pretrained(tiny_llama_folder)
    plain = PeftModel.from_pretrained(base, tmp_path / "adapter").eval()
    ours = load_model(str(tmp_path / "adapter"), adapters="attached").model
    ids = torch.arange(5, 40)[None]
    with torch.no_grad():
        torch.testing.assert_close(plain(ids).logits, ours(ids).logits, rtol=0, atol=1e-5)


def test_full_training_saves_a_model_that_transformers_loads(tmp_path, tiny_llama_folder):
    from transformers import AutoModelForCausalLM

    cfg = config(method=FullConfig(), optimizer={"learning_rate": 1e-3})
    result, _ = run(tmp_path, tiny_llama_folder, cfg)
    assert result.weights == "model"
    assert result.trainable_parameters == result.total_parameters
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "model").num_parameters() > 0


def stop_at(step: int):
    """A report that ends the run like a Ctrl-C when `step` is done."""

    def report(event):
        if isinstance(event, Step) and event.done == step:
            raise KeyboardInterrupt

    return report


def interrupted(folder: Path, model: Path, cfg: TrainConfig, *, at: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(
            cfg,
            model=str(model),
            examples=examples(),
            folder=folder,
            template="chatml",
            report=stop_at(at),
        )


@pytest.mark.parametrize("method", [LoraConfig(rank=4, dropout=0.2), FullConfig()])
def test_an_interrupted_run_ends_with_the_bytes_of_an_undisturbed_one(
    tmp_path, tiny_llama_folder, method
):
    cfg = config(method=method, duration=Epochs(epochs=4))
    result, _ = run(tmp_path / "whole", tiny_llama_folder, cfg)
    interrupted(tmp_path / "cut", tiny_llama_folder, cfg, at=5)
    run(tmp_path / "cut", tiny_llama_folder, cfg)
    name = "adapter_model.safetensors" if result.weights == "adapter" else "model.safetensors"
    whole = (tmp_path / "whole" / result.weights / name).read_bytes()
    assert whole == (tmp_path / "cut" / result.weights / name).read_bytes()


def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(tmp_path, tiny_llama_folder):
    cfg = config(duration=Steps(steps=8))
    run(tmp_path / "whole", tiny_llama_folder, cfg)
    interrupted(tmp_path / "cut", tiny_llama_folder, cfg, at=7)
    newest = tmp_path / "cut" / "checkpoints" / "checkpoint-6" / "adapter_model.safetensors"
    newest.write_bytes(newest.read_bytes()[:-8] + b"tampered")
    _, events = run(tmp_path / "cut", tiny_llama_folder, cfg)
    (warning,) = [e for e in events if isinstance(e, Warned)]
    assert "checkpoint-6 is damaged (adapter_model.safetensors has changed)" in warning.message
    assert weights(tmp_path / "cut").keys() == weights(tmp_path / "whole").keys()
    for name, value in weights(tmp_path / "cut").items():
        assert torch.equal(value, weights(tmp_path / "whole")[name])


def test_a_training_does_not_go_on_over_another_model(tmp_path, tiny_llama_folder):
    from safetensors.torch import load_file, save_file

    cfg, base = config(), tmp_path / "base"
    shutil.copytree(tiny_llama_folder, base)
    interrupted(tmp_path / "cut", base, cfg, at=4)
    path = base / "model.safetensors"
    was = path.read_bytes()
    changed = {name: value + 0.01 for name, value in load_file(path).items()}
    save_file(changed, path, metadata={"format": "pt"})
    with pytest.raises(RunError, match="files of the model have changed since this training"):
        run(tmp_path / "cut", base, cfg)
    path.write_bytes(was)
    result, _ = run(tmp_path / "cut", base, cfg)
    assert result.steps == 6


def test_a_checkpoint_without_its_marker_does_not_count(tmp_path, tiny_llama_folder):
    cfg = config(duration=Steps(steps=8))
    interrupted(tmp_path, tiny_llama_folder, cfg, at=7)
    (tmp_path / "checkpoints" / "checkpoint-6" / "complete.json").unlink()
    _, events = run(tmp_path, tiny_llama_folder, cfg)
    assert min(e.done for e in events if isinstance(e, Step)) == 4
    assert not [e for e in events if isinstance(e, Warned)]


def test_a_loss_that_is_no_number_stops_the_run_and_says_what_to_try(tmp_path, tiny_llama_folder):
    with pytest.raises(RunError, match=r"The gradient became nan at step 2\.") as caught:
        run(
            tmp_path,
            tiny_llama_folder,
            config(
                method=FullConfig(),
                optimizer={"learning_rate": 1e30},
                duration=Steps(steps=10),
            ),
        )
    assert "learning_rate" in caught.value.mend


def test_examples_that_cannot_be_used_are_told_and_none_at_all_is_an_error(
    tmp_path, tiny_llama_folder
):
    silent = Example((Message("user", "Hello?"),), Source("sums.jsonl", 99))
    result, events = run(tmp_path / "a", tiny_llama_folder, config(), data=[*examples(4), silent])
    assert [u["where"] for u in result.data["unusable"]] == ["sums.jsonl:99"]
    assert any(isinstance(e, Warned) and "1 examples not used" in e.message for e in events)
    with pytest.raises(DataError, match="No example can be trained on"):
        run(tmp_path / "b", tiny_llama_folder, config(), data=[silent])


@pytest.mark.parametrize("method", [LoraConfig(rank=4), FullConfig()])
def test_bfloat16_arithmetic_trains_float32_weights_on_a_cpu(tmp_path, tiny_llama_folder, method):
    from safetensors.torch import load_file

    cfg = config(method=method, precision={"kind": "bfloat16"})
    result, _ = run(tmp_path, tiny_llama_folder, cfg)
    (path,) = (tmp_path / result.weights).glob("*.safetensors")
    assert {value.dtype for value in load_file(path).values()} == {torch.float32}


def test_gradient_checkpointing_changes_memory_not_results(tmp_path, tiny_llama_folder):
    run(tmp_path / "a", tiny_llama_folder, config())
    run(tmp_path / "b", tiny_llama_folder, config(precision={"gradient_checkpointing": True}))
    for name, value in weights(tmp_path / "a").items():
        torch.testing.assert_close(value, weights(tmp_path / "b")[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("method", [LoraConfig(rank=4), FullConfig()])
def test_killed_after_its_last_step_it_only_saves_what_it_had(tmp_path, tiny_llama_folder, method):
    cfg = config(method=method, schedule={"kind": "constant"})
    first, _ = run(tmp_path, tiny_llama_folder, cfg)
    (path,) = (tmp_path / first.weights).glob("*.safetensors")
    before = path.read_bytes()
    shutil.rmtree(path.parent)
    again, events = run(tmp_path, tiny_llama_folder, cfg)
    assert not [e for e in events if isinstance(e, Step)]
    assert path.read_bytes() == before
    assert again.train_loss == first.train_loss


def test_a_fully_trained_model_does_not_carry_our_attention(tmp_path, tiny_llama_folder):
    run(tmp_path, tiny_llama_folder, config(method=FullConfig()))
    assert "tuneval" not in (tmp_path / "model" / "config.json").read_text()
