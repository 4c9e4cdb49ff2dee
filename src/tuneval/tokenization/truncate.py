"""Make a conversation fit a length without losing what matters, and say what was lost.

In this order: earlier exchanges go first, whole; then the middle of the longest prompt text
(instructions stand at the start, questions at the end); last the end of the response. The
assistant header is never cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tuneval.data.example import Message
from tuneval.errors import DataError
from tuneval.tokenization.tokens import Truncation

_MOST_CUTS = 12


@dataclass(frozen=True, slots=True)
class IdsAndMask:
    """Token ids (T,) int32 and the loss mask (T,) bool over them."""

    ids: NDArray[np.int32]
    mask: NDArray[np.bool_]

    @property
    def n_prompt(self) -> int:
        """Tokens before the first trained one; all of them when nothing is trained."""
        return int(self.mask.argmax()) if self.mask.any() else len(self.mask)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What is left, and what was cut (None when everything fitted)."""

    ids: NDArray[np.int32]
    mask: NDArray[np.bool_]
    truncation: Truncation | None


def fit(
    messages: Sequence[Message],
    *,
    max_length: int | None,
    encode: Callable[[Sequence[Message]], IdsAndMask],
) -> Fitted:
    """Encode `messages` within `max_length` tokens.

    Raises DataError when the frame of the conversation alone is longer.
    """
    encoded = encode(messages)
    if max_length is None or len(encoded.ids) <= max_length:
        return Fitted(encoded.ids, encoded.mask, None)
    kept = list(messages)
    dropped = 0
    while len(encoded.ids) > max_length and (shorter := _without_first_exchange(kept)):
        kept, dropped = shorter, dropped + 1
        encoded = encode(kept)
    before_cut = len(encoded.ids)
    for _ in range(_MOST_CUTS):
        n_response = len(encoded.ids) - encoded.n_prompt
        excess = encoded.n_prompt + min(n_response, max_length // 2) - max_length
        if excess <= 0:
            break
        kept = _cut_longest_prompt_text(kept, excess, encoded.n_prompt)
        encoded = encode(kept)
    cut_prompt = before_cut - len(encoded.ids)
    if encoded.n_prompt > max_length or (encoded.mask.any() and encoded.n_prompt == max_length):
        raise DataError(
            f"The prompt's frame alone has {encoded.n_prompt} tokens, "
            f"more than max_length {max_length} leaves.",
            mend="raise max_length",
        )
    truncation = Truncation(dropped, cut_prompt, max(0, len(encoded.ids) - max_length))
    return Fitted(encoded.ids[:max_length], encoded.mask[:max_length], truncation)


def _without_first_exchange(messages: Sequence[Message]) -> list[Message]:
    """The conversation less its first exchange; [] when only one is left."""
    users = [i for i, m in enumerate(messages) if m.role == "user"]
    if len(users) < 2:
        return []
    return [*messages[: users[0]], *messages[users[1] :]]


def _cut_longest_prompt_text(
    messages: Sequence[Message], excess_tokens: int, prompt_tokens: int
) -> list[Message]:
    """Take the middle out of the longest text that is not an answer, by about `excess_tokens`."""
    candidates = [i for i, m in enumerate(messages) if m.role != "assistant"]
    longest = max(candidates, key=lambda i: len(messages[i].content), default=None)
    if longest is None:
        return list(messages)
    text = messages[longest].content
    characters = sum(len(m.content) for m in messages if m.role != "assistant")
    per_token = max(1.0, characters / max(1, prompt_tokens))
    keep = max(0, len(text) - int(excess_tokens * per_token) - 2)
    head, tail = (keep + 1) // 2, keep // 2
    shortened = text[:head] + text[len(text) - tail :]
    cut = list(messages)
    cut[longest] = replace(messages[longest], content=shortened)
    return cut
