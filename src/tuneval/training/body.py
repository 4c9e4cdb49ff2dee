"""What comes before the output head: from a micro-batch to what the head reads.

A body gives hidden states at the labelled positions. Most models are one already; methods with
virtual tokens and cached frozen layers have bodies of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch

from tuneval.models.forward import core_model
from tuneval.models.virtual_tokens import VirtualTokens, has_virtual_tokens


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
        return states[0, self._kept(inputs)]

    def logits(self, inputs: Mapping[str, Any]) -> torch.Tensor:
        """Through the whole model."""
        read = self._read(inputs)
        logits: torch.Tensor = self.core(**read, logits_to_keep=self._kept(inputs)).logits
        return logits[0]

    def _read(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        named = ("input_ids", "position_ids", "layout")
        return {name: inputs[name] for name in named} | {"use_cache": False}

    def _kept(self, inputs: Mapping[str, Any]) -> torch.Tensor:
        """Where the hidden states that the head reads are in the row that the model reads."""
        positions: torch.Tensor = inputs["target_positions"]
        return positions


class VirtualBody(WholeBody):
    """The model with virtual tokens in front of every document of a row, there once for all."""

    def __init__(self, language_model: Any) -> None:
        super().__init__(language_model)
        self.virtual = VirtualTokens(language_model)

    def _read(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        read = super()._read(inputs)
        if self.virtual.are_states:
            # Not as a cache: transformers drops that where it checkpoints gradients.
            read["virtual_states"] = self.virtual.states()
            read["position_ids"] = read["position_ids"] + self.virtual.count
            return read
        words = self.core.get_input_embeddings()(read.pop("input_ids"))
        read["inputs_embeds"] = torch.cat([self.virtual.embeddings(), words], dim=1)
        read["layout"] = read["layout"].behind(self.virtual.count)
        read["position_ids"] = read["layout"].position_ids().to(words.device)
        return read

    def _kept(self, inputs: Mapping[str, Any]) -> torch.Tensor:
        kept = super()._kept(inputs)
        return kept if self.virtual.are_states else kept + self.virtual.count


def body_of(language_model: Any) -> Body:
    """The way through a model that has its tuning method attached."""
    if has_virtual_tokens(language_model):
        return VirtualBody(language_model)
    return WholeBody(language_model)
