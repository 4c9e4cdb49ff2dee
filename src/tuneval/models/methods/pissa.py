"""PiSSA: LoRA that begins with the largest singular values of the frozen weights.

Meng et al., arXiv:2404.02948. W = U S Vᵀ is cut in two: the first `rank` singular values become
B₀ A₀ and are trained, the rest stays frozen in W's place. So the trained model is
W + scaling (B A − B₀ A₀): a LoRA of twice the rank on W itself, and that is what is saved.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from transformers.pytorch_utils import Conv1D

from tuneval import files
from tuneval.errors import ModelError

ADAPTER = "default"
A_AT_START, B_AT_START = "pissa_A_at_start", "pissa_B_at_start"
# The fast way begins with random numbers, and a resumed run must cut the weights as before.
SEED = 0


def begin(model: Any, init: str) -> None:
    """Cut the weights of every layer that carries a new LoRA; `init` is "pissa" or with "_niter_N".

    Raises ModelError for a layer that cannot be cut: then nothing has been changed.
    """
    import peft.tuners.lora as lora

    layers = {n: m for n, m in model.named_modules() if isinstance(m, lora.LoraLayer)}
    embeddings = model.get_input_embeddings().weight
    for path, layer in layers.items():
        _refuse(path, layer, tied_to=embeddings)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(SEED)
        for layer in layers.values():
            layer.pissa_init(ADAPTER, init)
            # Not parameters, and not in the state: they follow the model, and are made again.
            for name, of in ((A_AT_START, layer.lora_A), (B_AT_START, layer.lora_B)):
                at_start = of[ADAPTER].weight.detach().clone()
                layer.register_buffer(name, at_start, persistent=False)


def has_begun(model: Any) -> bool:
    """Whether `begin` has changed this model's frozen weights."""
    return next(_cut_layers(model), None) is not None


def save(model: Any, folder: Path) -> None:
    """Write a plain LoRA of twice the rank, for the base as it was before `begin`."""
    state = dict(model.state_dict())
    for path, layer in _cut_layers(model):
        down, up = f"{path}.lora_A.{ADAPTER}.weight", f"{path}.lora_B.{ADAPTER}.weight"
        state[down] = torch.cat([state[down], getattr(layer, A_AT_START)])
        state[up] = torch.cat([state[up], -getattr(layer, B_AT_START)], dim=1)
    model.save_pretrained(str(folder), state_dict=state)
    config = files.read_json(folder / "adapter_config.json")
    # The same scaling at twice the rank: alpha / r, or alpha / √r.
    config["lora_alpha"] *= math.sqrt(2) if config["use_rslora"] else 2
    config["r"] *= 2
    files.write_json(folder / "adapter_config.json", config)


def _cut_layers(model: Any) -> Iterator[tuple[str, Any]]:
    return ((n, layer) for n, layer in model.named_modules() if hasattr(layer, A_AT_START))


def _refuse(path: str, layer: Any, *, tied_to: torch.Tensor) -> None:
    """Raise ModelError for a layer whose weights PiSSA cannot take apart."""
    base = layer.get_base_layer()
    if type(base) not in (torch.nn.Linear, Conv1D) or base.weight is tied_to:
        raise ModelError(
            f"PiSSA cannot begin at '{path}': it changes frozen weights, and these are an "
            "embedding's, or quantised.",
            where="method.init",
            mend="leave this layer out of method.target_modules, or leave out method.init",
        )
    rank = layer.r[ADAPTER]
    if rank > min(base.weight.shape):
        rows, columns = base.weight.shape
        raise ModelError(
            f"PiSSA of rank {rank} needs as many singular values; '{path}' is {rows} x {columns}.",
            where="method.rank",
            mend=f"choose a rank of at most {min(rows, columns)}",
        )
