"""What every tuning method says of itself, and what it can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from tuneval.models.quantization import Quantization


class TuningMethod(BaseModel):
    """The config of a method; importing one needs no torch.

    `saved_as` says what is left of a training: an adapter for the base model, or a whole model.
    `cannot_merge` and `cannot_checkpoint` are the reasons, as ends of a sentence, why the weights
    cannot go into the base's and why gradient checkpointing is refused; empty where they can.
    `library` is what loads an adapter of this method.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    saved_as: ClassVar[Literal["adapter", "model"]] = "adapter"
    cannot_merge: ClassVar[str] = ""
    cannot_checkpoint: ClassVar[str] = ""
    library: ClassVar[Literal["peft", "tuneval"]] = "peft"

    @property
    def quantization(self) -> Quantization | None:
        """How the base's frozen weights are stored; None: as they are."""
        return None


def _save_pretrained(model: Any, folder: Path) -> None:
    model.save_pretrained(str(folder))


def _scale_of_all(name: str, config: Any) -> float:
    return 1.0


@dataclass(frozen=True, slots=True)
class Method:
    """A method's row in the table.

    `attach(model, config, tokenizer)`: the model, trainable in the method's way, given a loaded
    model, which is changed in place. `save(model, folder)`: its weights and their config, where
    plain peft or transformers find them. `learning_rate_scale(name, config)`: what the learning
    rate of a parameter is multiplied by.
    """

    attach: Callable[[Any, Any, Any], Any]
    save: Callable[[Any, Path], None] = _save_pretrained
    learning_rate_scale: Callable[[str, Any], float] = _scale_of_all
