"""Full fine-tuning: every weight of the model is trained."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class FullConfig(BaseModel):
    """Train every weight."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["full"] = "full"


def attach(model: Any, config: FullConfig) -> Any:
    """The model with every parameter trainable."""
    return model.requires_grad_(True)
