"""A model of shapes without numbers: built from its config, tuned and run, in no memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

from tuneval.errors import ModelError
from tuneval.models.methods import attach
from tuneval.models.precision import torch_dtype
from tuneval.training.config import TrainConfig
from tuneval.training.loss import NextTokenLoss
from tuneval.training.preparation import weights_dtype
from tuneval.training.trainer import enable_gradient_checkpointing, prepare_for_packing

# Families whose logits are more than a matrix times the hidden state say so by one of these.
_ALTERED_LOGITS = ("final_logit_softcapping", "logit_scale", "logits_scaling")


class ShapedModel:
    """`loss` as the Trainer has it; its tensors are FakeTensors that say they are on the CPU."""

    def __init__(self, folder: Path, config: TrainConfig, tokenizer: Any) -> None:
        self.language_model = _built(folder, config, tokenizer)
        self.mode = FakeTensorMode(allow_non_fake_inputs=True)
        _without_numbers(self.language_model, self.mode)
        settings = self.language_model.config.get_text_config()
        is_plain = not any(getattr(settings, name, None) for name in _ALTERED_LOGITS)
        with self.mode:
            self.loss = NextTokenLoss(self.language_model, has_plain_head=is_plain).train()
        self.is_bfloat16 = config.precision.kind == "bfloat16"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside, the model runs in the precision of its training."""
        with self.mode, torch.autocast("cpu", torch.bfloat16, enabled=self.is_bfloat16):
            yield


def _built(folder: Path, config: TrainConfig, tokenizer: Any) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        settings = AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(
                settings, dtype=torch_dtype(weights_dtype(config)), trust_remote_code=False
            )
            model.requires_grad_(False)
            if not prepare_for_packing(model):
                raise ModelError("its attention cannot be kept inside each example of a row")
            model = attach(model, config.method, tokenizer)
    except (OSError, ValueError, KeyError, NotImplementedError, RuntimeError) as error:
        raise ModelError(
            f"What this training needs cannot be said beforehand: {' '.join(str(error).split())}",
            where=str(folder),
            mend="start it: where memory runs out, micro-batches are halved",
        ) from error
    if config.precision.gradient_checkpointing:
        enable_gradient_checkpointing(model)
    return model


def _without_numbers(model: torch.nn.Module, mode: FakeTensorMode) -> None:
    """Turn every parameter and buffer into a FakeTensor; those shared stay shared."""
    made: dict[int, torch.Tensor] = {}

    def shaped(tensor: torch.Tensor) -> torch.Tensor:
        if id(tensor) not in made:
            fake: torch.Tensor = FakeTensor(mode, tensor.detach().to("meta"), torch.device("cpu"))
            if isinstance(tensor, torch.nn.Parameter):
                fake = torch.nn.Parameter(fake, requires_grad=tensor.requires_grad)
            made[id(tensor)] = fake
        return made[id(tensor)]

    for module in model.modules():
        for tensors in (module._parameters, module._buffers):
            for name, tensor in tensors.items():
                if tensor is not None:
                    tensors[name] = shaped(tensor)
