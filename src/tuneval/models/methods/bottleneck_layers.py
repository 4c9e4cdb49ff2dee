"""The modules of bottleneck adapters: where they are put in a model, and how they are kept.

Each is a child of the sublayer whose output it changes, and works through a forward hook that is a
plain function. So a model keeps its class and its paths, and copies, recomputation of checkpointed
blocks and wrappers for several devices treat the adapters like all that is in a block.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from transformers.activations import ACT2FN

from tuneval import files
from tuneval.models.blocks import find_blocks
from tuneval.models.methods.bottleneck import BottleneckConfig

PEFT_TYPE = "TUNEVAL_BOTTLENECK"
"""What stands in our adapter_config.json where peft names one of its own methods."""

CHILD = "bottleneck"
CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"


class Bottleneck(torch.nn.Module):
    """hidden + up(nonlinearity(down(hidden))), (…, D) -> (…, D), in the hidden states' own dtype.

    The weights are float32 whatever the model's are, as peft's. `up` begins as zero: an untrained
    adapter is the identity, and `down` is drawn as in LoRA.
    """

    def __init__(self, width: int, config: BottleneckConfig, device: torch.device) -> None:
        super().__init__()
        place: dict[str, Any] = {"device": device, "dtype": torch.float32}
        self.down = torch.nn.Linear(width, config.size, **place)
        self.nonlinearity = ACT2FN[config.nonlinearity]
        self.dropout = torch.nn.Dropout(config.dropout)
        self.up = torch.nn.Linear(config.size, width, **place)
        torch.nn.init.zeros_(self.down.bias)
        torch.nn.init.zeros_(self.up.weight)
        torch.nn.init.zeros_(self.up.bias)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """The hidden states, each position changed by itself."""
        inner = self.nonlinearity(self.down(hidden.to(self.down.weight.dtype)))
        return hidden + self.up(self.dropout(inner)).to(hidden.dtype)


def insert(model: Any, config: BottleneckConfig) -> None:
    """Put new adapters into the blocks of a model that has none."""
    width = model.config.get_text_config().hidden_size
    for block in find_blocks(model):
        # An output norm between sublayer and residual stream, as Gemma has it, comes after.
        both = config.placement == "houlsby"
        for sublayer in (block.attention, block.feed_forward) if both else (block.feed_forward,):
            device = next(sublayer.parameters()).device
            sublayer.add_module(CHILD, Bottleneck(width, config, device))
            sublayer.register_forward_hook(_change_output)
    model.bottleneck_config = config


def write(model: Any, folder: Path) -> None:
    """Config and weights of the model's adapters, into an empty folder."""
    weights = {name: value.detach().contiguous() for name, value in _weights(model).items()}
    save_file(weights, str(folder / WEIGHTS_FILE), metadata={"format": "pt"})
    settings = model.bottleneck_config.model_dump(mode="json", exclude={"kind"})
    origin = {"base_model_name_or_path": model.name_or_path, "task_type": "CAUSAL_LM"}
    files.write_json(folder / CONFIG_FILE, {"peft_type": PEFT_TYPE, **origin, **settings})


def is_written_in(folder: Path) -> bool:
    """Whether the adapter in this folder is of this kind."""
    return bool(files.read_json(folder / CONFIG_FILE).get("peft_type") == PEFT_TYPE)


def read(model: Any, folder: Path) -> None:
    """Put the adapters in `folder` into a model, frozen.

    Raises ValueError when config or weights are not as they were written, or were made for a
    model of another shape.
    """
    insert(model, _read_config(folder))
    found, expected = load_file(str(folder / WEIGHTS_FILE)), _weights(model)
    wrong = sorted(
        name
        for name in found.keys() | expected.keys()
        if name not in found or name not in expected or found[name].shape != expected[name].shape
    )
    if wrong:
        raise ValueError(f"its weights do not fit the model's layers, such as {wrong[0]}")
    with torch.no_grad():
        for name, parameter in expected.items():
            parameter.copy_(found[name])
            parameter.requires_grad_(False)


def _read_config(folder: Path) -> BottleneckConfig:
    settings = files.read_json(folder / CONFIG_FILE)
    try:
        return BottleneckConfig.model_validate(
            {name: settings[name] for name in BottleneckConfig.model_fields if name in settings}
        )
    except ValidationError as error:
        faults = (f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        raise ValueError(f"{CONFIG_FILE} has {'; '.join(faults)}") from error


def _weights(model: Any) -> dict[str, torch.nn.Parameter]:
    """Parameters of every adapter in the model, under their names in it."""
    return {
        f"{path}.{name}": parameter
        for path, module in model.named_modules()
        if isinstance(module, Bottleneck)
        for name, parameter in module.named_parameters()
    }


def _change_output(sublayer: torch.nn.Module, _: Any, output: Any) -> Any:
    """What the sublayer gives, through its adapter; attention gives its weights beside it."""
    adapter = getattr(sublayer, CHILD)
    if isinstance(output, tuple):
        return (adapter(output[0]), *output[1:])
    return adapter(output)
