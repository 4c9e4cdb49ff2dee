"""In which number format, and on which device, a model works."""

from __future__ import annotations

from typing import Any, Literal

from tuneval.errors import ModelError

Precision = Literal["float32", "bfloat16", "float16", "float64"]


def choose_device(device: str) -> str:
    """`auto` is an accelerator if there is one, else the CPU. Raises ModelError for others."""
    import torch

    here = ["cpu"]
    if torch.backends.mps.is_available():
        here.insert(0, "mps")
    if torch.cuda.is_available():
        here.insert(0, "cuda")
    if device == "auto":
        return here[0]
    if device.partition(":")[0] not in here:
        raise ModelError(f"There is no device '{device}' here.", mend="choose " + " or ".join(here))
    return device


def refuse_nan(is_there: bool) -> None:
    """Raises ModelError where NaN is there: what comes of it would look like an answer."""
    if is_there:
        raise ModelError(
            "The model gives NaN in place of numbers.",
            mend="use float32 or bfloat16 (some models overflow in float16); if it does so in "
            "these too, its weights are damaged",
        )


def torch_dtype(precision: Precision) -> Any:
    """torch's name for it."""
    import torch

    return {
        "float32": torch.float32,
        "bfloat16": torch.bfloat16,
        "float16": torch.float16,
        "float64": torch.float64,
    }[precision]
