"""What the scorers of one set share: prompts bound to a tokenizer, tasks, embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tuneval.errors import UsageError

if TYPE_CHECKING:
    from tuneval.scoring.encoding import PromptEncoder

Embeddings = Mapping[str, npt.NDArray[np.float32]]


@dataclass(slots=True)
class Setting:
    """What a scorer's `needs` brings it; asking for what it did not declare is an error.

    `embeddings` holds a row of unit length for each item id that has a text, (D,) float32.
    """

    tokenizer: Any = None
    prompts: PromptEncoder | None = None
    embeddings: Embeddings = field(default_factory=dict)
    n_moved: int | None = None
    """Examples whose border between prompt and response lies elsewhere when they are one text;
    None where no prompts of ours meet a response."""

    @property
    def encoder(self) -> PromptEncoder:
        """The prompts. Raises UsageError where no scorer said that it needs the model."""
        if self.prompts is None:
            raise UsageError("A scorer asks for prompts and does not say that it needs `model`.")
        return self.prompts
