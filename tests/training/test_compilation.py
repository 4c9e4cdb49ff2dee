from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from tuneval.data.example import Example, Message, Source
from tuneval.files import read_jsonl
from tuneval.models.methods import LoraConfig
from tuneval.training.config import Steps, TrainConfig
from tuneval.training.train import train

# Compiling takes most of a minute; with gradients of any row length in it, twice that.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler"),
]


def examples() -> list[Example]:
    return [
        Example(
            (Message("user", "one " * n), Message("assistant", f"{n} times." + " Yes." * (n % 4))),
            Source("counts.jsonl", n),
        )
        for n in range(1, 13)
    ]


def losses(folder: Path, model: Path, **precision) -> tuple[list[float], float]:
    config = TrainConfig(
        method=LoraConfig(rank=4),
        duration=Steps(steps=6),
        optimizer={"learning_rate": 5e-3},
        batches={"packing": False, "batch_size": 2},
        precision=precision,
    )
    result = train(config, model=str(model), examples=examples(), folder=folder, template="chatml")
    return [row["loss"] for row in read_jsonl(folder / "trainer_log.jsonl")], result.flops


def test_compiled_blocks_learn_the_same_from_rows_of_any_length_and_are_compiled_once(
    tmp_path, tiny_llama_folder
):
    from torch._dynamo.utils import counters

    plain = losses(tmp_path / "plain", tiny_llama_folder)
    counters.clear()
    compiled = losses(tmp_path / "compiled", tiny_llama_folder, compile=True)
    assert compiled[0] == pytest.approx(plain[0], rel=1e-4)
    assert compiled[1] == plain[1]
    # Before and after attention, the first time and for lengths in general: not for each row.
    assert 0 < counters["stats"]["unique_graphs"] <= 8
    torch.compiler.reset()
