"""What a training run is asked to do, with every default in sight."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tuneval.models.methods import LoraConfig, MethodConfig


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Epochs(_Section):
    """Train for so many passes over the data."""

    epochs: Annotated[float, Field(gt=0)]


class Steps(_Section):
    """Train for so many optimizer steps."""

    steps: Annotated[int, Field(gt=0)]


class TrainConfig(_Section):
    """A training run.

    Batch sizes count rows; with packing a row holds up to `max_length` tokens.
    """

    stage: Literal["sft"] = "sft"
    method: MethodConfig = Field(default_factory=LoraConfig, discriminator="kind")
    duration: Epochs | Steps = Epochs(epochs=3)
    learning_rate: Annotated[float, Field(gt=0)] = 2e-4
    lr_scheduler_type: Literal["cosine", "linear", "constant", "constant_with_warmup"] = "cosine"
    warmup_ratio: Annotated[float, Field(ge=0, lt=1)] = 0.03
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    max_length: Annotated[int, Field(ge=16)] = 1024
    batch_size: Annotated[int, Field(ge=1)] = 1
    gradient_accumulation_steps: Annotated[int, Field(ge=1)] = 1
    packing: bool = True
    share_prefix: bool = True
    precision: Literal["float32", "bfloat16"] = "float32"
    gradient_checkpointing: bool = False
    logging_steps: Annotated[int, Field(ge=1)] = 1
    save_steps: Annotated[int, Field(ge=1)] = 20
    keep_checkpoints: Annotated[int, Field(ge=2)] = 2
    seed: int = 17
