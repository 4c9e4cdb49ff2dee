"""Training with bottleneck adapters and with IA3."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from families import family_model
from safetensors.torch import load_file
from sums import sums

from tuneval.data.example import Example
from tuneval.files import read_jsonl
from tuneval.models.blocks import find_blocks
from tuneval.models.likelihood import Request, measure_likelihood
from tuneval.models.load import load_model
from tuneval.models.methods import BottleneckConfig, IA3Config, attach
from tuneval.runs.events import Step
from tuneval.tokenization import Tokens
from tuneval.training.batches import Collate, Row
from tuneval.training.config import Steps, TrainConfig
from tuneval.training.loss import NextTokenLoss
from tuneval.training.train import train
from tuneval.training.trainer import enable_gradient_checkpointing, prepare_for_packing

HOULSBY = BottleneckConfig(size=16, dropout=0.2)
PFEIFFER = BottleneckConfig(size=16, placement="pfeiffer")
METHODS = [HOULSBY, PFEIFFER, IA3Config()]
NAMES = ["houlsby", "pfeiffer", "ia3"]
RUN = [HOULSBY, IA3Config()]


def examples() -> list[Example]:
    return sums(24)


def config(method, *, steps: int = 6, **precision) -> TrainConfig:
    rate = 5e-2 if method.kind == "ia3" else 5e-3
    return TrainConfig(
        method=method,
        duration=Steps(steps=steps),
        optimizer={"learning_rate": rate},
        schedule={"warmup_ratio": 0.0},
        batches={"max_length": 256},
        precision=precision,
        record={"save_steps": 2},
    )


def run(folder: Path, model: Path, cfg: TrainConfig, report=lambda event: None):
    return train(
        cfg,
        model=str(model),
        examples=examples(),
        folder=folder,
        template="chatml",
        report=report,
    )


def interrupt(event) -> None:
    if isinstance(event, Step) and event.done == 5:
        raise KeyboardInterrupt


@pytest.mark.parametrize("method", RUN, ids=lambda method: method.kind)
def test_the_loss_falls_and_what_is_loaded_is_what_was_trained(tmp_path, tiny_llama_folder, method):
    result = run(tmp_path, tiny_llama_folder, config(method, steps=16))
    losses = [row["loss"] for row in read_jsonl(tmp_path / "trainer_log.jsonl")]
    assert losses[-1] < 0.9 * losses[0]
    assert 0 < result.trainable_parameters < result.total_parameters
    library = "peft" if method.kind == "ia3" else "tuneval"
    assert f"library_name: {library}\n" in (tmp_path / "adapter" / "README.md").read_text()
    answer = [Request(list(range(5, 20)), list(range(20, 30)))]
    trained = load_model(str(tmp_path / "adapter")).model
    before = measure_likelihood(load_model(str(tiny_llama_folder)).model, answer)
    assert not np.allclose(measure_likelihood(trained, answer)[0].logprobs, before[0].logprobs)


@pytest.mark.parametrize("method", RUN, ids=lambda method: method.kind)
def test_an_interrupted_run_ends_with_the_bytes_of_an_undisturbed_one(
    tmp_path, tiny_llama_folder, method
):
    cfg = config(method)
    run(tmp_path / "whole", tiny_llama_folder, cfg)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", tiny_llama_folder, cfg, interrupt)
    run(tmp_path / "cut", tiny_llama_folder, cfg)
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        whole, cut = (tmp_path / side / "adapter" / name for side in ("whole", "cut"))
        assert whole.read_bytes() == cut.read_bytes()


@pytest.mark.parametrize("method", RUN, ids=lambda method: method.kind)
def test_bfloat16_arithmetic_trains_float32_adapters(tmp_path, tiny_llama_folder, method):
    run(tmp_path, tiny_llama_folder, config(method, kind="bfloat16"))
    weights = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float32}
    losses = [row["loss"] for row in read_jsonl(tmp_path / "trainer_log.jsonl")]
    assert losses[-1] < losses[0]


def as_trained(model):
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.2 * torch.randn_like(parameter)
    return model.eval()


def documents(count: int, vocabulary: int) -> list[Tokens]:
    """Random ids of several lengths with a common beginning, the later half trained."""
    source = np.random.default_rng(4)
    head = source.integers(3, vocabulary, 12)
    made = []
    for number in range(count):
        ids = np.concatenate([head, source.integers(3, vocabulary, 10 + 7 * number)])
        made.append(Tokens(ids.astype(np.int32), np.arange(len(ids)) > len(ids) // 2, str(number)))
    return made


def gradients(model, rows: list[list[Tokens]]) -> tuple[float, dict[str, torch.Tensor]]:
    """Summed loss over the rows, and its gradient by each trained parameter."""
    model.zero_grad()
    loss_of = NextTokenLoss(model)
    total = 0.0
    for row in rows:
        loss = loss_of(**Collate()([Row(tuple(row))]))
        loss.backward()
        total += loss.item()
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    return total, {name: p.grad.clone() for name, p in trained.items()}


@pytest.mark.parametrize("family", ["llama", "qwen3", "gemma3", "gpt2", "glm", "opt"])
@pytest.mark.parametrize("method", METHODS, ids=NAMES)
def test_a_packed_row_trains_as_its_examples_one_by_one(tiny_llama, family, method):
    base = copy.deepcopy(tiny_llama.model if family == "llama" else family_model(family))
    assert prepare_for_packing(base)
    model = as_trained(attach(base, method))
    texts = documents(4, 290)
    loss, found = gradients(model, [texts])
    expected_loss, expected = gradients(model, [[text] for text in texts])
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    for name, gradient in expected.items():
        scale = float(gradient.abs().max())
        torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=1e-4 * scale, msg=name)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
@pytest.mark.parametrize("method", METHODS, ids=NAMES)
def test_gradient_checkpointing_changes_no_gradient(tiny_llama, family, method):
    base = copy.deepcopy(tiny_llama.model if family == "llama" else family_model(family))
    prepare_for_packing(base)
    model = as_trained(attach(base, method)).train()
    rows = [documents(3, 290)]
    torch.manual_seed(8)
    loss, expected = gradients(model, rows)
    enable_gradient_checkpointing(model)
    passes = []
    attention = find_blocks(model)[0].attention
    attention.register_forward_hook(lambda *_: passes.append(torch.is_grad_enabled()))
    torch.manual_seed(8)
    again, found = gradients(model, rows)
    assert sum(passes) == 2  # forward, and again on the way back
    assert again == pytest.approx(loss, rel=1e-6)
    for name, gradient in expected.items():
        scale = float(gradient.abs().max())
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-5 * scale, msg=name)
