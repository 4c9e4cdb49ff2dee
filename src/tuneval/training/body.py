"""What comes before the output head: from a micro-batch to what the head reads.

A body gives hidden states at the labelled positions. Most models are one already; methods with
virtual tokens and cached frozen layers have bodies of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch

from tuneval.models.forward import core_model


class Body(Protocol):
    """A way through a model, for the micro-batches that `Collate` makes."""

    def hidden(self, inputs: Mapping[str, Any]) -> torch.Tensor:
        """Last hidden states at `target_positions`, (K, D)."""

    def logits(self, inputs: Mapping[str, Any]) -> torch.Tensor:
        """Logits at `target_positions` by the model's own head, (K, V)."""


class WholeBody:
    """The model as it is."""

    def __init__(self, language_model: Any) -> None:
        self.core = core_model(language_model)

    def hidden(self, inputs: Mapping[str, Any]) -> torch.Tensor:
        """Through the decoder."""
        states: torch.Tensor = self.core.get_decoder()(**self._read(inputs)).last_hidden_state
        return states[0, inputs["target_positions"]]

    def logits(self, inputs: Mapping[str, Any]) -> torch.Tensor:
        """Through the whole model."""
        kept = inputs["target_positions"]
        logits: torch.Tensor = self.core(**self._read(inputs), logits_to_keep=kept).logits
        return logits[0]

    def _read(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        named = ("input_ids", "position_ids", "layout")
        return {name: inputs[name] for name in named} | {"use_cache": False}


def body_of(language_model: Any) -> Body:
    """The way through a model that has its tuning method attached."""
    return WholeBody(language_model)
