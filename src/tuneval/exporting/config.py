"""What an export is asked to do."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_SIZE = re.compile(r"(\d+(?:\.\d+)?) *([KMGT])B", re.IGNORECASE)
_POWER = {"K": 1, "M": 2, "G": 3, "T": 4}


def size_in_bytes(text: str) -> int:
    """Bytes of a size such as `2GB` or `500 MB`, in powers of 1000. ValueError for others."""
    match = _SIZE.fullmatch(text.strip())
    size = int(float(match[1]) * 1000 ** _POWER[match[2].upper()]) if match else 0
    if size < 1:
        raise ValueError("write a size such as 500MB or 2GB")
    return size


def _is_size(text: str) -> str:
    size_in_bytes(text)
    return text


class ExportConfig(BaseModel):
    """What is written, and what the merge is measured on.

    `what`: the whole model, or the adapter alone. `dtype` "auto" is that of the base's own
    files. `shard_size` is the most a weight file holds, unless one matrix is larger. `prompts` is
    a file of examples; without one they come from the run's own data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: Literal["model", "adapter"] = "model"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    shard_size: Annotated[str, AfterValidator(_is_size)] = "5GB"
    prompts: str | None = None
    n_prompts: Annotated[int, Field(ge=1)] = 8
    device: str = "cpu"
    existing: Literal["refuse", "replace"] = "refuse"
