"""What a tokenizer itself puts before a text."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def begins_with(tokenizer: Any) -> npt.NDArray[np.int32]:
    """The ids before a text that the tokenizer is left to itself with: BOS, or none."""
    found = tokenizer("a", add_special_tokens=True)["input_ids"]
    alone = tokenizer("a", add_special_tokens=False)["input_ids"]
    for n in range(len(found) - len(alone) + 1):
        if found[n : n + len(alone)] == alone:
            return np.array(found[:n], np.int32)
    return np.zeros(0, np.int32)
