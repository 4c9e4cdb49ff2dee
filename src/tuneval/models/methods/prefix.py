"""Prefix tuning: keys and values in front of every layer's own, made by a small network.

Li and Liang, arXiv:2101.00190. Without the network it is P-tuning v2.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from tuneval.models.methods.method import Method
from tuneval.models.methods.virtual import VirtualTokensMethod, wrap


class PrefixConfig(VirtualTokensMethod):
    """One embedding a virtual token; two layers make of it the keys and values of all layers."""

    kind: Literal["prefix"] = "prefix"
    encoder_hidden_size: Annotated[int, Field(ge=1)] = 512


def attach(model: Any, config: PrefixConfig, tokenizer: Any = None) -> Any:
    """The model in peft's wrapper, only the encoder of the prefix trainable."""
    import peft

    from tuneval.models.virtual_tokens import states_shape

    shape = states_shape(model)
    settings = peft.PrefixTuningConfig(
        task_type="CAUSAL_LM",
        num_virtual_tokens=config.virtual_tokens,
        prefix_projection=True,
        encoder_hidden_size=config.encoder_hidden_size,
        num_layers=shape.layers,
        num_attention_heads=shape.heads,
        token_dim=shape.heads * shape.head_dim,
    )
    return wrap(model, settings)


METHOD = Method(attach)
