"""P-tuning v2: trained keys and values for every layer. Liu et al., arXiv:2110.07602."""

from __future__ import annotations

from typing import Any, Literal

from tuneval.models.methods.method import Method
from tuneval.models.methods.virtual import FromWords, first_embeddings, put_in, wrap


class PTuningV2Config(FromWords):
    """Virtual tokens that are keys and values in every layer, each number of them a parameter.

    They begin as what the model itself makes of words, after Li and Liang (arXiv:2101.00190,
    section 7.4).
    """

    kind: Literal["p_tuning_v2"] = "p_tuning_v2"
    # Not random: keys and values out of thin air set SmolLM2 back from a loss of 2 to one of 13.
    init: Literal["vocabulary", "text"] = "vocabulary"


def attach(model: Any, config: PTuningV2Config, tokenizer: Any = None) -> Any:
    """The model in peft's wrapper, only the keys and values of the virtual tokens trainable."""
    import peft

    from tuneval.models.virtual_tokens import flat_states, read_states, states_shape

    shape = states_shape(model)
    states = read_states(model, first_embeddings(model, config, tokenizer))
    settings = peft.PrefixTuningConfig(
        task_type="CAUSAL_LM",
        num_virtual_tokens=config.virtual_tokens,
        prefix_projection=False,
        num_layers=shape.layers,
        num_attention_heads=shape.heads,
        token_dim=shape.heads * shape.head_dim,
    )
    wrapped = wrap(model, settings)
    put_in(wrapped, flat_states(states))
    return wrapped


METHOD = Method(attach)
