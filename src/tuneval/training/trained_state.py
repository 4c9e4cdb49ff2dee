"""What of a model changes while it is trained, to the last bit.

A method's own files may hold less than that: what p-tuning saves are the prompts that its encoder
makes, not the encoder. So a checkpoint has the trained parameters themselves.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from tuneval.errors import RunError

NAME = "trained_state.safetensors"


def save_state(model: torch.nn.Module, folder: Path, *, base: str) -> None:
    """Write every trained parameter under its name; `base` names what the model was loaded from."""
    state = {name: value.detach().contiguous() for name, value in _trained(model).items()}
    save_file(state, str(folder / NAME), metadata={"base": base})


def load_state(model: torch.nn.Module, folder: Path, *, base: str) -> None:
    """Put every trained parameter back. Raises RunError when they are not those of the model."""
    with safe_open(str(folder / NAME), framework="pt") as file:
        began_with = (file.metadata() or {}).get("base")
    if began_with != base:
        raise RunError(
            "The files of the model have changed since this training began.",
            where=str(folder),
            mend="put them back as they were, or begin anew: --fresh",
        )
    found = load_file(str(folder / NAME))
    trained = _trained(model)
    if found.keys() != trained.keys():
        raise RunError(
            "The checkpoint holds other parameters than this training trains.",
            where=str(folder),
            mend="begin anew: --fresh",
        )
    with torch.no_grad():
        for name, parameter in trained.items():
            parameter.copy_(found[name])


def _trained(model: Any) -> dict[str, torch.nn.Parameter]:
    return {name: p for name, p in model.named_parameters() if p.requires_grad}
