"""Token ids with the mask that says which of them are trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Tokens:
    """One example as the model sees it.

    `ids` is (T,) int32. `loss_mask` is (T,) bool: True where the token is a target of the loss,
    that is, where the model has to predict it from the tokens before it.
    """

    ids: NDArray[np.int32]
    loss_mask: NDArray[np.bool_]
    example_id: str

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_trained(self) -> int:
        """How many tokens carry loss."""
        return int(self.loss_mask.sum())


@dataclass(frozen=True, slots=True)
class Truncation:
    """What did not fit: earlier exchanges dropped, prompt and response tokens cut."""

    dropped_exchanges: int = 0
    cut_prompt_tokens: int = 0
    cut_response_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Encoded:
    """Tokens, and what truncation took from them (None when everything fitted)."""

    tokens: Tokens
    truncation: Truncation | None = None
