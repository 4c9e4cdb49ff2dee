"""(IA)³: one learnt factor for each key, value and inner feed-forward dimension.

Liu et al., arXiv:2205.05638. The factors begin as one; merging multiplies them into the matrices.
"""

from __future__ import annotations

from typing import Any, Literal

from tuneval.models.methods.method import Method, TuningMethod


class IA3Config(TuningMethod):
    """Factors on keys, on values and on what enters the last feed-forward matrix of every layer.

    Queries get factors too where one matrix makes them together with keys and values.
    """

    kind: Literal["ia3"] = "ia3"


def attach(model: Any, config: IA3Config, tokenizer: Any = None) -> Any:
    """The model in peft's wrapper, only the factors trainable."""
    import peft
    from transformers.pytorch_utils import Conv1D

    from tuneval.models.projections import find_projections

    found = find_projections(model)
    settings = peft.IA3Config(
        task_type="CAUSAL_LM",
        target_modules=[*found.key_value, *found.feed_forward_out],
        feedforward_modules=list(found.feed_forward_out),
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),
    )
    return peft.get_peft_model(model, settings)


METHOD = Method(attach)
