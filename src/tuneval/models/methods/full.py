"""Full fine-tuning: every weight of the model is trained."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tuneval.models.methods.method import Method, TuningMethod


class FullConfig(TuningMethod):
    """Train every weight."""

    saved_as: ClassVar[Literal["adapter", "model"]] = "model"
    cannot_merge: ClassVar[str] = "what it leaves is a whole model already"

    kind: Literal["full"] = "full"


def attach(model: Any, config: FullConfig, tokenizer: Any = None) -> Any:
    """The model with every parameter trainable."""
    return model.requires_grad_(True)


METHOD = Method(attach)
