"""What a training run is asked to do, with every default in sight."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tuneval.models.methods import LoraConfig, MethodConfig

Scheduler = Literal[
    "cosine", "linear", "constant", "constant_with_warmup", "polynomial", "inverse_sqrt"
]

Tracker = Literal["tensorboard", "wandb", "mlflow"]

Beta = Annotated[float, Field(ge=0, lt=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Epochs(_Section):
    """Train for so many passes over the data."""

    epochs: Annotated[float, Field(gt=0)]


class Steps(_Section):
    """Train for so many optimizer steps."""

    steps: Annotated[int, Field(gt=0)]


class Tokens(_Section):
    """Train until so many tokens have been read, to the end of the optimizer step."""

    tokens: Annotated[int, Field(gt=0)]


class Batches(_Section):
    """How examples come together. `batch_size` counts rows.

    With packing a row holds as many examples as fit into `max_length` tokens.
    """

    max_length: Annotated[int, Field(ge=16)] = 1024
    packing: bool = True
    share_prefix: bool = True
    batch_size: Annotated[int, Field(ge=1)] = 1
    gradient_accumulation_steps: Annotated[int, Field(ge=1)] = 1


class Optimizer(_Section):
    """AdamW, and how far a step goes."""

    learning_rate: Annotated[float, Field(gt=0)] = 2e-4
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    betas: tuple[Beta, Beta] = (0.9, 0.999)
    epsilon: Annotated[float, Field(gt=0)] = 1e-8


class Schedule(_Section):
    """How the learning rate rises, and falls after that. `warmup_steps` goes before the ratio."""

    kind: Scheduler = "cosine"
    warmup_ratio: Annotated[float, Field(ge=0, lt=1)] = 0.03
    warmup_steps: Annotated[int, Field(ge=1)] | None = None


class Arithmetic(_Section):
    """In which precision, and at what price in time, memory is saved."""

    kind: Literal["float32", "bfloat16"] = "float32"
    gradient_checkpointing: bool = False
    compile: bool = False


class Record(_Section):
    """What is written down on the way, in optimizer steps."""

    logging_steps: Annotated[int, Field(ge=1)] = 1
    save_steps: Annotated[int, Field(ge=1)] = 20
    keep_checkpoints: Annotated[int, Field(ge=2)] = 2
    trackers: tuple[Tracker, ...] = ()


class Probe(_Section):
    """Examples set aside from training, whose loss is measured on the way, in optimizer steps."""

    share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    every_steps: Annotated[int, Field(ge=1)] = 20
    patience: Annotated[int, Field(ge=1)] | None = None
    keep_best: bool = True


class TrainConfig(_Section):
    """A training run."""

    stage: Literal["pretrain", "sft"] = "sft"
    method: MethodConfig = Field(default_factory=LoraConfig, discriminator="kind")
    duration: Epochs | Steps | Tokens = Epochs(epochs=3)
    batches: Batches = Batches()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    precision: Arithmetic = Arithmetic()
    record: Record = Record()
    evaluation: Probe | None = None
    seed: int = 17
