"""QLoRA: LoRA over a base whose frozen weights are quantised. Dettmers et al., arXiv:2305.14314."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

from tuneval.models.methods.lora import LowRank, attach_low_rank, learning_rate_scale
from tuneval.models.methods.method import Method
from tuneval.models.quantization import Quantization


class QloraConfig(LowRank):
    """`bits` a weight of the base's linear layers; `quant_type` and `double_quant` are of 4 bits.

    The base is quantised when it is loaded, in training and in evaluation alike.
    """

    kind: Literal["qlora"] = "qlora"
    bits: Literal[4, 8] = 4
    quant_type: Literal["nf4", "fp4"] = "nf4"
    double_quant: bool = True

    @property
    def quantization(self) -> Quantization:
        """How the base is stored."""
        return Quantization(
            bits=self.bits, quant_type=self.quant_type, double_quant=self.double_quant
        )

    @model_validator(mode="after")
    def _fits_the_bits(self) -> QloraConfig:
        if self.bits == 8 and (self.quant_type != "nf4" or not self.double_quant):
            raise ValueError(
                "quant_type and double_quant are of 4 bits: leave them out, or bits: 4"
            )
        if self.bits == 8 and self.use_dora:
            # On a CPU peft's look at 8-bit weights loses their scales: the next pass fails.
            raise ValueError("use_dora reads the base's weights back, which needs bits: 4")
        return self


def attach(model: Any, config: QloraConfig, tokenizer: Any = None) -> Any:
    """The quantised model in peft's wrapper, only the new matrices trainable, in float32."""
    return attach_low_rank(model, config)


METHOD = Method(attach, learning_rate_scale=learning_rate_scale)
