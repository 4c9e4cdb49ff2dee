"""What is said beforehand is what comes, and what would need less does."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from tuneval.data.example import Example, Message, Source
from tuneval.errors import ModelError, UsageError
from tuneval.models import available
from tuneval.models.methods import LoraConfig
from tuneval.training.config import Steps, TrainConfig
from tuneval.training.planning import plan_training
from tuneval.training.planning.memory import ADAM_STATES, LIBRARIES_BYTES, LiveBytes
from tuneval.training.train import train

MIB = 2**20


def examples(count: int = 24) -> list[Example]:
    return [
        Example(
            (
                Message("user", f"Count to {n}." + " Please." * 12),
                Message("assistant", " ".join(map(str, range(n)))),
            ),
            Source("counts.jsonl", n + 1),
        )
        for n in range(2, count + 2)
    ]


def config(kind: str = "full", **changes) -> TrainConfig:
    sections = {"batches": {"max_length": 256, "batch_size": 4}, "duration": Steps(steps=2)}
    return TrainConfig(method={"kind": kind}, **(sections | changes))


@pytest.fixture
def plan(tiny_llama_folder):
    return partial(
        plan_training, model=str(tiny_llama_folder), examples=examples(), template="chatml"
    )


def test_weights_gradients_and_optimizer_are_those_of_the_parameters(plan):
    full = plan(config("full"))
    size = 4 * full.total_parameters
    assert full.trainable_parameters == full.total_parameters > 1_500_000
    assert (full.memory.weights, full.memory.gradients) == (size, size)
    assert full.memory.optimizer == ADAM_STATES * size
    lora = plan(config("lora"))
    assert lora.memory.weights == 4 * lora.total_parameters
    assert lora.memory.gradients == 4 * lora.trainable_parameters < size / 10
    assert lora.memory.libraries == LIBRARIES_BYTES


def test_activations_are_what_the_pass_itself_holds(plan, tiny_llama):
    """The same pass with real tensors, counted by what torch hands out."""
    import copy

    from tuneval.models.methods import attach
    from tuneval.tokenization import load_template
    from tuneval.training.batches import Collate
    from tuneval.training.loss import NextTokenLoss
    from tuneval.training.preparation import prepare
    from tuneval.training.trainer import prepare_for_packing

    asked = config("lora")
    planned = plan(asked)
    template = load_template(tiny_llama.tokenizer, "chatml")
    rows = prepare(asked, examples(), template, report=lambda event: None).rows.rows
    inputs = Collate()(sorted(rows, key=len, reverse=True)[:4])
    model = copy.deepcopy(tiny_llama.model).requires_grad_(False)
    prepare_for_packing(model)
    loss = NextTokenLoss(attach(model, LoraConfig())).train()
    live = LiveBytes()
    for parameter in loss.parameters():
        live.leave_out(parameter)
    with live:
        loss(**inputs).backward()
    held = planned.memory.activations + planned.memory.gradients
    assert held == pytest.approx(live.peak, rel=0.02)
    assert planned.longest_micro_batch == inputs["input_ids"].numel()


def test_steps_parameters_and_operations_come_true(plan, tmp_path, tiny_llama_folder):
    asked = config("lora", duration={"epochs": 3})
    planned = plan(asked)
    result = train(
        asked,
        model=str(tiny_llama_folder),
        examples=examples(),
        folder=tmp_path,
        template="chatml",
    )
    assert planned.steps == result.steps
    assert planned.trainable_parameters == result.trainable_parameters
    assert planned.total_parameters == result.total_parameters
    assert planned.flops == pytest.approx(result.flops, rel=0.15)


def test_no_weight_is_loaded_for_it(plan, monkeypatch):
    from transformers import AutoModelForCausalLM

    def loaded(*_, **__):
        raise AssertionError("weights were loaded")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", loaded)
    assert plan(config()).memory.total > 0


def test_each_change_needs_less_and_says_how_much(plan):
    planned = plan(config("full"), available=1 * MIB)
    assert planned.fits is False
    needs = {change.words: change.memory for change in planned.changes}
    assert needs["precision.gradient_checkpointing=true"].activations < planned.memory.activations
    smaller = needs["batches.batch_size=1 batches.gradient_accumulation_steps=4"]
    assert smaller.activations < planned.memory.activations
    assert needs["method.kind=lora"].optimizer < planned.memory.optimizer / 10
    # None of them is enough, so all of them are tried together.
    together = planned.changes[-1]
    assert {"precision.kind", "method.kind", "batches.batch_size"} <= together.settings.keys()
    assert together.memory.total == min(m.total for m in needs.values())


def test_a_change_comes_true_when_it_is_made(plan):
    planned = plan(config("full"), available=1 * MIB)
    (change,) = [c for c in planned.changes if c.words == "precision.gradient_checkpointing=true"]
    made = plan(config("full", precision={"gradient_checkpointing": True}))
    assert made.memory == change.memory


def test_what_fits_needs_no_change(plan):
    planned = plan(config(), available=2**40)
    assert planned.fits
    assert planned.changes == ()
    barely = replace(planned, available_bytes=planned.memory.total)
    assert not barely.fits  # kernels and other programs want some of it


def test_checkpointing_that_a_method_cannot_have_is_refused_as_in_training(plan, monkeypatch):
    monkeypatch.setattr(LoraConfig, "cannot_checkpoint", "it keeps a cache")
    with pytest.raises(UsageError, match="cannot use gradient checkpointing: it keeps a cache"):
        plan(config("lora", precision={"gradient_checkpointing": True}))
    planned = plan(config("lora"), available=1 * MIB)
    assert not any("gradient_checkpointing" in change.words for change in planned.changes)


@pytest.mark.parametrize(
    "kind",
    ["freeze", "prefix", "prompt", "p_tuning", "p_tuning_v2", "bottleneck", "ia3", "qlora"],
)
def test_every_method_can_be_planned(plan, kind):
    planned = plan(config(kind))
    assert 0 < planned.trainable_parameters < planned.total_parameters
    assert planned.memory.activations > 0


def test_quantised_weights_take_their_codes_and_scales(plan):
    """Of the tiny Llama only the embeddings, which are its head too, and the norms stay float32."""
    lora, qlora = plan(config("lora")), plan(config("qlora"))
    embeddings = 494 * 192
    norms = 192 * (2 * 4 + 1)
    adapters = lora.trainable_parameters
    matrices = lora.total_parameters - adapters - embeddings - norms
    bits = 4 + 8 / 64 + 32 / (64 * 256)
    expected = 4 * (adapters + embeddings + norms) + matrices * bits / 8
    assert qlora.memory.weights == pytest.approx(expected, rel=1e-3)


def test_a_model_without_numbers_that_cannot_be_built_is_an_error(plan, monkeypatch):
    from transformers import AutoModelForCausalLM

    def fails(*_, **__):
        raise NotImplementedError("data-dependent")

    monkeypatch.setattr(AutoModelForCausalLM, "from_config", fails)
    with pytest.raises(ModelError, match="cannot be said beforehand: data-dependent"):
        plan(config())


def test_live_bytes_are_counted_until_they_are_freed():
    live = LiveBytes()
    with live:
        kept = torch.zeros(256)
        other = torch.zeros(512) + 1  # two of 2048 bytes, one of them freed at once
        view = kept[:10]
    assert live.now == 1024 + 2048
    assert live.peak == 1024 + 2 * 2048
    del other
    assert live.now == 1024
    del kept
    assert live.now == 1024  # the view still holds it
    del view
    assert live.now == 0


def test_a_container_has_what_its_limit_leaves(tmp_path: Path, monkeypatch):
    for name, text in {
        "memory.max": "1000000\n",
        "memory.current": "700000\n",
        "memory.stat": "anon 500000\ninactive_file 150000\n",
        "meminfo": "MemTotal: 9000 kB\nMemAvailable: 2000 kB\n",
    }.items():
        (tmp_path / name).write_text(text)
    group = (str(tmp_path), "memory.max", "memory.current", "inactive_file")
    monkeypatch.setattr(available, "_CGROUPS", (group,))
    monkeypatch.setattr(available, "_MEMINFO", tmp_path / "meminfo")
    cpu = torch.device("cpu")
    assert available.available_bytes(cpu) == 450_000
    (tmp_path / "memory.max").write_text("max\n")
    assert available.available_bytes(cpu) == 2000 * 1024
    (tmp_path / "meminfo").unlink()
    assert available.available_bytes(cpu) is None
