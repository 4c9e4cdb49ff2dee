"""Frozen weights in 8 or 4 bits, by bitsandbytes.

What is said here of a model's weights says nothing of the precision that it computes in: codes
are always made from float32, so they are the same ones in training and in evaluation.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tuneval.errors import ModelError
from tuneval.extras import require


class Quantization(BaseModel):
    """How the linear layers but the output head are stored.

    4 bits: each block of 64 weights as one of 16 values times a scale; with `double_quant` the
    scales are quantised too (Dettmers et al., arXiv:2305.14314). 8 bits: LLM.int8
    (arXiv:2208.07339); there `quant_type` and `double_quant` say nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bits: Literal[4, 8] = 4
    quant_type: Literal["nf4", "fp4"] = "nf4"
    double_quant: bool = True


def refuse_where_it_cannot_work(device: str) -> None:
    """Raise MissingPackageError or ModelError when weights cannot be quantised on `device`."""
    bitsandbytes = require("bitsandbytes", extra="quant", why="to store weights in 4 or 8 bits")
    kind = device.partition(":")[0]
    # Versions before 0.46 know no devices by name: they work on an NVIDIA GPU only.
    supported = sorted(getattr(bitsandbytes, "supported_torch_devices", {"cuda"}))
    if kind not in supported:
        raise ModelError(
            f"bitsandbytes {bitsandbytes.__version__} quantises on {', '.join(supported)} only, "
            f"and this model works on {kind}.",
            where="method: qlora",
            mend="pip install -U bitsandbytes, or choose method: lora",
        )


def loading_options(quantization: Quantization, dtype: Any, device: str) -> dict[str, Any]:
    """What transformers' `from_pretrained` is told, so that it quantises weight by weight."""
    import torch
    from transformers import BitsAndBytesConfig

    settings = BitsAndBytesConfig(
        load_in_4bit=quantization.bits == 4,
        load_in_8bit=quantization.bits == 8,
        bnb_4bit_quant_type=quantization.quant_type,
        bnb_4bit_use_double_quant=quantization.double_quant,
        bnb_4bit_compute_dtype=dtype,
    )
    return {
        "quantization_config": settings,
        "device_map": {"": device},
        "dtype": torch.float32,
    }


def settle(model: Any, dtype: Any) -> None:
    """Bring what is not quantised to `dtype`, and keep one and the same way of computing."""
    from bitsandbytes.nn.modules import Linear4bit, Linear8bitLt

    for parameter in model.parameters():
        if parameter.is_floating_point():
            parameter.data = parameter.data.to(dtype)
    for module in model.modules():
        if isinstance(module, Linear4bit):
            # Trap: on a CPU with AVX512-BF16 the first pass in evaluation mode repacks the
            # weights for good, for an operation that has no gradient: training after a probe
            # would go on with gradients of zero.
            module.support_avx512bf16_for_cpu = False
        elif isinstance(module, Linear8bitLt):
            module.__class__ = _steady_layer()


@cache
def _steady_layer() -> type:
    """bitsandbytes' 8-bit layer, computing in evaluation as it does in training.

    On a CPU it would round activations in evaluation only, and by a rule that looks at every
    token of a pass: what a text is worth would depend on the texts beside it.
    """
    from bitsandbytes.nn.modules import Linear8bitLt

    class SteadyLinear8bit(Linear8bitLt):
        def train(self, mode: bool = True) -> SteadyLinear8bit:
            super().train(True)
            return self

    return SteadyLinear8bit
