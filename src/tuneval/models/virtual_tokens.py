"""What prompt tuning and its kin put in front of every input, in one form for all of them.

Prompt tuning and P-tuning learn embeddings, prefix tuning and P-tuning v2 the keys and values of
every layer. For inference all are a fixed prefix of keys and values, made once. In training keys
and values carry gradients, and embeddings are a beginning that all documents of a row share.

Virtual tokens are at positions 0, 1, … and the input follows, as plain peft has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

from tuneval.errors import ModelError
from tuneval.models.packed_attention import PACKED_ATTENTION, Layout, States


@dataclass(frozen=True, slots=True)
class StatesShape:
    """Keys, like values, of one token: (heads, head_dim) in each of `layers`."""

    layers: int
    heads: int
    head_dim: int


class VirtualTokens:
    """The `count` virtual tokens of a peft model, as it learns them or has learnt them.

    `are_states`: keys and values are learnt, not embeddings.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.config = model.active_peft_config
        self.count: int = self.config.num_virtual_tokens
        self.are_states: bool = self.config.peft_type.value == "PREFIX_TUNING"

    def embeddings(self) -> torch.Tensor:
        """(1, n, D), with gradients; of methods that learn embeddings."""
        words = self.model.get_base_model().get_input_embeddings().weight
        return self._learnt().to(words.dtype)

    def states(self) -> States:
        """Keys and values of every layer: with gradients if learnt, else read off the model.

        Raises ModelError when some layers have no keys and values of their own.
        """
        if not self.are_states:
            return read_states(self.model.get_base_model(), self.embeddings())
        heads = self.config.num_attention_heads
        shape = (self.count, self.config.num_layers, 2, heads, self.config.token_dim // heads)
        dtype = self.model.get_base_model().dtype
        # The order in which peft keeps them: token, layer, key and value, head.
        states = self._learnt()[0].to(dtype).view(shape).permute(1, 2, 3, 0, 4)
        return tuple((layer[0][None], layer[1][None]) for layer in states)

    def _learnt(self) -> torch.Tensor:
        """What the encoder makes, (1, n, width); a saved adapter has that in place of one."""
        encoder = self.model.prompt_encoder[self.model.active_adapter]
        weight = encoder.embedding.weight
        if self.config.inference_mode:
            return weight[None]  # type: ignore[no-any-return]
        made: torch.Tensor = encoder(torch.arange(self.count, device=weight.device)[None])
        return made


def virtual_tokens(model: Any) -> VirtualTokens | None:
    """The virtual tokens that stand in front of what a model reads, if there are any."""
    return VirtualTokens(model) if has_virtual_tokens(model) else None


def has_virtual_tokens(model: Any) -> bool:
    """Whether a tuning method puts tokens or states in front of what the model reads."""
    configs = getattr(model, "peft_config", None) or {}
    return any(getattr(config, "is_prompt_learning", False) for config in configs.values())


@torch.no_grad()
def read_states(model: Any, embeddings: torch.Tensor) -> States:
    """Keys and values that transformers' own model makes of embeddings (1, n, D).

    Raises ModelError when some layers have none of their own.
    """
    layers = DynamicCache(config=model.config).layers
    # Windows keep only the last keys; here all are wanted.
    cache = Cache(layers=[DynamicLayer() for _ in layers])
    told: dict[str, Any] = {}
    if model.config._attn_implementation == PACKED_ATTENTION:
        told["layout"] = Layout(0, ((0, embeddings.shape[1]),))
    if all(isinstance(layer, DynamicLayer) for layer in layers):
        model(inputs_embeds=embeddings, past_key_values=cache, use_cache=True, **told)
    if not all(layer.is_initialized for layer in cache.layers):
        raise ModelError(
            "Not every layer of this model has keys and values of its own.",
            where=type(model).__name__,
            mend="choose a method that needs none in front of the input, such as lora",
        )
    return tuple((layer.keys, layer.values) for layer in cache.layers)


def states_shape(model: Any) -> StatesShape:
    """What the keys and values of transformers' own model are like; tried on a token.

    Raises ModelError when they are not alike in all layers: one prefix could not fit them.
    """
    token = torch.zeros((1, 1), dtype=torch.int64, device=model.device)
    states = read_states(model, model.get_input_embeddings()(token))
    shapes = {tuple(part.shape) for layer in states for part in layer}
    if len(shapes) != 1:
        raise ModelError(
            "The keys and values of this model's layers differ in shape: "
            + ", ".join(f"{s[1]} heads of {s[3]}" for s in sorted(shapes))
            + ".",
            where=type(model).__name__,
            mend="choose a method without a prefix of keys and values, such as p_tuning or lora",
        )
    ((_, heads, _, head_dim),) = shapes
    return StatesShape(len(states), heads, head_dim)


def flat_states(states: States) -> torch.Tensor:
    """Keys and values as peft keeps them for prefix tuning, (n, layers * 2 * heads * head_dim)."""
    layers = torch.stack([torch.stack([keys[0], values[0]]) for keys, values in states])
    return layers.permute(3, 0, 1, 2, 4).flatten(1)
