"""What a training takes: memory, energy, and who else is told its numbers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from tuneval.data.example import Example, Message, Source
from tuneval.errors import MissingPackageError
from tuneval.files import read_json, read_jsonl
from tuneval.models import consumption, energy
from tuneval.models.energy import Counter, energy_counters
from tuneval.models.methods import LoraConfig
from tuneval.runs.events import Step
from tuneval.training.config import Steps, TrainConfig
from tuneval.training.meter import Meter
from tuneval.training.train import train

CPU = torch.device("cpu")
MIB = 2**20


def run(folder: Path, model: Path, config: TrainConfig, report=lambda event: None):
    turns = [(Message("user", f"{n} + 1"), Message("assistant", f"{n + 1}")) for n in range(8)]
    examples = [Example(turn, Source("sums.jsonl", n)) for n, turn in enumerate(turns, start=1)]
    return train(
        config,
        model=str(model),
        examples=examples,
        folder=folder,
        template="chatml",
        report=report,
    )


def config(**record) -> TrainConfig:
    return TrainConfig(method=LoraConfig(rank=4), duration=Steps(steps=3), record=record)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux only")
def test_peak_memory_is_what_was_resident_at_most_beyond_the_start():
    measured = Meter(CPU)
    torch.ones(256 * MIB // 4)  # before training: no part of it
    measured.on_train_begin(None, None, None)
    held = torch.ones(64 * MIB // 4)
    torch.ones(32 * MIB // 4)
    measured.on_step_end(None, None, None)
    assert measured.peak_memory_bytes == pytest.approx(96 * MIB, rel=0.2)
    del held
    measured.on_step_end(None, None, None)
    assert measured.peak_memory_bytes >= 80 * MIB


def test_a_peak_that_cannot_begin_anew_is_that_of_the_whole_process(monkeypatch, tmp_path):
    monkeypatch.setattr(consumption, "_CLEAR", tmp_path / "absent" / "clear_refs")
    measured = Meter(torch.device("cpu"))
    measured.on_train_begin(None, None, None)
    measured.on_step_end(None, None, None)
    assert measured.peak_memory_bytes is not None


def test_where_nothing_tells_there_is_no_number(monkeypatch, tmp_path):
    monkeypatch.setattr(consumption, "_STATUS", tmp_path / "none")
    monkeypatch.setattr(energy, "RAPL", tmp_path / "none")
    measured = Meter(CPU)
    measured.on_train_begin(None, None, None)
    measured.on_step_end(None, None, None)
    assert measured.as_dict() == {"peak_memory_bytes": None, "energy_joules": None}


def package(root: Path, name: str, microjoules: int, highest: int = 10_000_000) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "max_energy_range_uj").write_text(f"{highest}\n")
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    return folder / "energy_uj"


def test_energy_is_that_of_all_packages_and_of_no_part_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(energy, "RAPL", tmp_path)
    first = package(tmp_path, "intel-rapl:0", 1_000_000)
    second = package(tmp_path, "intel-rapl:1", 5_000_000)
    part = package(tmp_path, "intel-rapl:0:0", 0)
    measured = Meter(CPU)
    measured.on_train_begin(None, None, None)
    for path, microjoules in ((first, 3_500_000), (second, 6_000_000), (part, 900_000)):
        path.write_text(str(microjoules))
    measured.on_step_end(None, None, None)
    assert measured.energy_joules == pytest.approx(2.5 + 1.0)


def test_a_counter_that_wrapped_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(energy, "RAPL", tmp_path)
    path = package(tmp_path, "intel-rapl:0", 9_000_000, highest=10_000_000)
    (counter,) = energy_counters(CPU)
    path.write_text("500000")
    assert counter.since_last() == pytest.approx(1.5)


def test_a_counter_nobody_may_read_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(energy, "RAPL", tmp_path)
    package(tmp_path, "intel-rapl:0", 0).unlink()
    assert energy_counters(CPU) == []


def test_the_result_says_what_the_training_took_over_all_its_starts(
    tmp_path, tiny_llama_folder, monkeypatch
):
    """A driver that counts 2 J at each look, and a kill after two of three steps."""
    readings = iter(range(0, 100, 2))
    monkeypatch.setattr(
        consumption,
        "energy_counters",
        lambda _: [Counter(lambda: next(readings), None, next(readings))],
    )

    def stop(event):
        if isinstance(event, Step) and event.done == 2:
            raise KeyboardInterrupt

    whole = run(tmp_path / "whole", tiny_llama_folder, config(save_steps=1))
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", tiny_llama_folder, config(save_steps=1), stop)
    # Step 2 was told before its checkpoint was written: it is trained, and counted, once more.
    result = run(tmp_path / "cut", tiny_llama_folder, config(save_steps=1))
    assert whole.energy_joules == result.energy_joules == 6
    assert whole.flops == result.flops > 0
    values = read_json(tmp_path / "cut" / "train_results.json")
    assert values["total_flos"] == result.flops
    assert values["train_energy_joules"] == 6
    assert values["train_peak_memory_bytes"] == result.peak_memory_bytes > 0
    card = (tmp_path / "cut" / "adapter" / "README.md").read_text()
    assert f"| floating-point operations | {result.flops:.3g} |" in card
    assert "| peak memory | " in card
    assert "| energy | 0.00167 Wh |" in card


def test_tensorboard_gets_the_numbers_of_the_log(tmp_path, tiny_llama_folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(tmp_path, tiny_llama_folder, config(trackers=["tensorboard"]))
    board = EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    losses = [event.value for event in board.Scalars("train/loss")]
    logged = [row["loss"] for row in read_jsonl(tmp_path / "trainer_log.jsonl")]
    assert losses == pytest.approx(logged, abs=1e-4)
    assert "TENSORBOARD_LOGGING_DIR" not in os.environ


def test_a_tracker_that_is_not_installed_is_named_before_anything_is_loaded(tmp_path, monkeypatch):
    from tuneval.training import trackers

    def missing(name, **words):
        raise MissingPackageError(f"The package '{name}' is needed {words['why']}")

    monkeypatch.setattr(trackers, "require", missing)
    with pytest.raises(MissingPackageError, match=r"'mlflow' is needed for record\.trackers"):
        run(tmp_path, tmp_path / "no-model", config(trackers=["mlflow"]))
