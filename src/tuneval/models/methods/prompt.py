"""Prompt tuning: trained embeddings in front of the input. Lester et al., arXiv:2104.08691."""

from __future__ import annotations

from typing import Any, Literal

from tuneval.models.methods.method import Method
from tuneval.models.methods.virtual import FromWords, first_embeddings, put_in, wrap


class PromptConfig(FromWords):
    """Virtual tokens that are embeddings, each number of them a parameter."""

    kind: Literal["prompt"] = "prompt"


def attach(model: Any, config: PromptConfig, tokenizer: Any = None) -> Any:
    """The model in peft's wrapper, only the embeddings of the virtual tokens trainable."""
    import peft
    import torch

    (start,) = first_embeddings(model, config, tokenizer)
    if config.init == "random":
        start = torch.randn_like(start) * start.std()
    # peft has such beginnings too, but writes the text and its tokenizer's path into the adapter.
    settings = peft.PromptTuningConfig(
        task_type="CAUSAL_LM", num_virtual_tokens=config.virtual_tokens
    )
    wrapped = wrap(model, settings)
    put_in(wrapped, start)
    return wrapped


METHOD = Method(attach)
