"""Four optimizer steps against a program that has nothing of ours: formulas, in float64.

The model, LoRA, the loss, AdamW, clipping and the schedule are written out below, each document
runs alone, and only rows, first weights and settings are shared with the code under test.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tuneval.models.methods import LoraConfig, attach
from tuneval.tokenization import Tokens
from tuneval.training.batches import Collate, make_rows
from tuneval.training.config import Steps, TrainConfig
from tuneval.training.trainer import Trainer, prepare_for_packing

VOCABULARY, WIDTH, HEADS, GROUPS, LAYERS = 97, 48, 6, 2, 2
HEAD_DIM = WIDTH // HEADS
STEPS, WARMUP, SHARED = 4, 2, 12

CONFIG = TrainConfig(
    method=LoraConfig(rank=4, alpha=12, learning_rate_ratio=2.0),
    duration=Steps(steps=STEPS),
    batches={"max_length": 96, "gradient_accumulation_steps": 2},
    optimizer={"learning_rate": 0.02, "weight_decay": 0.3, "max_grad_norm": 0.4, "epsilon": 1e-6},
    schedule={"kind": "cosine", "warmup_steps": WARMUP},
)

Weights = dict[str, torch.Tensor]


def test_a_training_is_that_of_the_formulas(tmp_path):
    rows = make_rows(documents(), max_length=CONFIG.batches.max_length, packing=True)
    assert len(rows) == 5  # an epoch is steps of two, two and one row: the fourth begins the next
    assert {Collate()([row])["layout"].n_shared for row in rows} == {SHARED}
    model = tuned_model()
    begun = {name: value.detach().double() for name, value in model.named_parameters()}
    trainer = Trainer(model, CONFIG, rows, folder=tmp_path)
    trainer.train_from(None)

    trained = {name: begun[name] for name, p in model.named_parameters() if p.requires_grad}
    norms, losses = train_by_formulas(begun, list(trained), rows)
    log = [entry for entry in trainer.state.log_history if "loss" in entry]
    assert [entry["loss"] for entry in log] == pytest.approx(losses, abs=1e-5)
    assert [entry["grad_norm"] for entry in log] == pytest.approx(norms, rel=1e-4)
    assert min(norms) > 2 * CONFIG.optimizer.max_grad_norm  # so that clipping is part of the test
    now = dict(model.named_parameters())
    for name, expected in begun.items():
        torch.testing.assert_close(now[name].double(), expected, rtol=0, atol=1e-5, msg=name)
    assert max((begun[name] - trained[name]).abs().max() for name in trained) > 0.02


def documents() -> list[Tokens]:
    """Examples of unlike lengths with one beginning; some have two stretches of targets."""
    source = np.random.default_rng(3)
    first = source.integers(0, VOCABULARY, SHARED)
    made = []
    for index in range(14):
        own = source.integers(0, VOCABULARY, int(source.integers(8, 36)))
        own[0] = index  # no longer beginning is shared by chance
        mask = np.zeros(SHARED + len(own), dtype=np.bool_)
        mask[-int(source.integers(1, 5)) :] = True
        mask[SHARED + 2 : SHARED + 4] = index % 3 == 0
        made.append(Tokens(np.concatenate([first, own]).astype(np.int32), mask, str(index)))
    return made


def tuned_model():
    """A Llama with LoRA beside every matrix, whose B are no longer zero."""
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=80, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=GROUPS, initializer_range=0.3,
        max_position_embeddings=128,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = LlamaForCausalLM(config)
        assert prepare_for_packing(model)
        model = attach(model, CONFIG.method)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    parameter.normal_(std=0.1)
    return model


def train_by_formulas(weights: Weights, names: list[str], rows) -> tuple[list[float], list[float]]:
    """Change `weights` in four steps; each step's gradient norm before clipping, and its loss."""
    asked = CONFIG.optimizer
    (beta1, beta2), plus = asked.betas, CONFIG.method.learning_rate_ratio
    means = {name: torch.zeros_like(weights[name]) for name in names}
    squares = {name: torch.zeros_like(weights[name]) for name in names}
    norms, losses = [], []
    for step, taken in enumerate(steps_of(len(rows)), start=1):
        leaves = {name: weights[name].clone().requires_grad_() for name in names}
        parts = [nats(weights | leaves, d) for index in taken for d in rows[index].documents]
        loss = sum(total for total, _ in parts) / sum(count for _, count in parts)
        gradients = dict(zip(names, torch.autograd.grad(loss, list(leaves.values())), strict=True))
        norm = math.sqrt(sum(float(g.square().sum()) for g in gradients.values()))
        for name in names:
            gradient = gradients[name] * min(1.0, asked.max_grad_norm / norm)
            rate = asked.learning_rate * schedule(step - 1) * (plus if "lora_B" in name else 1.0)
            means[name] = beta1 * means[name] + (1 - beta1) * gradient
            squares[name] = beta2 * squares[name] + (1 - beta2) * gradient**2
            mean = means[name] / (1 - beta1**step)
            spread = (squares[name] / (1 - beta2**step)).sqrt() + asked.epsilon
            weights[name] = weights[name] * (1 - rate * asked.weight_decay) - rate * mean / spread
        norms.append(norm)
        losses.append(loss.item())
    return norms, losses


def steps_of(n_rows: int) -> list[list[int]]:
    """The rows of each step: each epoch in its own order, its last step with what is left."""
    steps: list[list[int]] = []
    for epoch in range(STEPS):
        order = np.random.default_rng([CONFIG.seed, epoch]).permutation(n_rows).tolist()
        steps += [order[start : start + 2] for start in range(0, n_rows, 2)]
    return steps[:STEPS]


def schedule(step: int) -> float:
    """The share of the highest rate, up in a line and down in half a cosine."""
    if step < WARMUP:
        return step / WARMUP
    return 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP)))


def nats(weights: Weights, document: Tokens) -> tuple[torch.Tensor, int]:
    """The summed cross-entropy of a document's targets, and their number."""
    targets = torch.from_numpy(np.flatnonzero(document.loss_mask[1:]) + 1)
    ids = torch.from_numpy(document.ids.astype(np.int64))
    found = logits(weights, ids)[targets - 1].log_softmax(-1)
    return -found[torch.arange(len(targets)), ids[targets]].sum(), len(targets)


def logits(weights: Weights, ids: torch.Tensor) -> torch.Tensor:
    """A Llama with LoRA, (T,) -> (T, V)."""
    root = "base_model.model."

    def matrix(name: str, x: torch.Tensor) -> torch.Tensor:
        path = f"{root}model.layers.{name}"
        down, up = (weights[f"{path}.lora_{part}.default.weight"] for part in "AB")
        scaling = CONFIG.method.alpha / CONFIG.method.rank
        return x @ weights[f"{path}.base_layer.weight"].T + scaling * (x @ down.T) @ up.T

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        return x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt() * weights[root + name]

    angles = torch.outer(
        torch.arange(len(ids), dtype=torch.float64),
        10000.0 ** -(torch.arange(0, HEAD_DIM, 2, dtype=torch.float64) / HEAD_DIM),
    )
    cos, sin = (torch.cat([f(angles)] * 2, dim=-1)[:, None] for f in (torch.cos, torch.sin))

    def rotated(x: torch.Tensor) -> torch.Tensor:
        one, other = x.chunk(2, dim=-1)
        return x * cos + torch.cat([-other, one], dim=-1) * sin

    hidden = weights[f"{root}model.embed_tokens.weight"][ids]
    later = torch.ones(len(ids), len(ids)).triu(1).bool()
    for i in range(LAYERS):
        x = norm(f"model.layers.{i}.input_layernorm.weight", hidden)
        q, k, v = (
            matrix(f"{i}.self_attn.{name}_proj", x).view(len(ids), -1, HEAD_DIM) for name in "qkv"
        )
        q, k = rotated(q), rotated(k)
        k, v = (each.repeat_interleave(HEADS // GROUPS, dim=1) for each in (k, v))
        scores = torch.einsum("qhd,khd->hqk", q, k) / math.sqrt(HEAD_DIM)
        seen = scores.masked_fill(later, -math.inf).softmax(-1)
        heard = torch.einsum("hqk,khd->qhd", seen, v).flatten(1)
        hidden = hidden + matrix(f"{i}.self_attn.o_proj", heard)
        x = norm(f"model.layers.{i}.post_attention_layernorm.weight", hidden)
        gate, up = matrix(f"{i}.mlp.gate_proj", x), matrix(f"{i}.mlp.up_proj", x)
        hidden = hidden + matrix(f"{i}.mlp.down_proj", gate * gate.sigmoid() * up)
    return norm("model.norm.weight", hidden) @ weights[f"{root}lm_head.weight"].T
