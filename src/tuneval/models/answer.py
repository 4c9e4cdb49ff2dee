"""A prompt, its answer in the making, and the answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch

from tuneval.models.sampling import Sampling, choose_tokens
from tuneval.models.sequences import Ids

FinishReason = Literal["stop", "length"]
IsFinished = Callable[[int, Sequence[int]], bool]
"""Whether the answer to prompt `index` ends with the last of its ids so far."""


def never(index: int, ids: Sequence[int]) -> bool:
    """Nothing but the stop ids and its length ends an answer."""
    return False


@dataclass(frozen=True, slots=True)
class Completion:
    """The ids that the model said, without the one that ended the turn.

    `seconds_to_first` runs from when the prompt was taken up to its first token, `seconds` to its
    last; other answers are made in the same passes.
    """

    ids: tuple[int, ...]
    finish_reason: FinishReason
    seconds_to_first: float = field(default=0.0, compare=False)
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt under its number, the most tokens that may follow, and how they are chosen."""

    index: int
    ids: Ids
    limit: int
    sampling: Sampling
    dice_seed: int

    @property
    def size(self) -> int:
        """Tokens that it and its answer may come to."""
        return len(self.ids) + self.limit


class Answer:
    """What has been said to a prompt so far; its clock starts when it is made."""

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = prompt
        self.said: list[int] = []
        self.die = torch.Generator().manual_seed(prompt.dice_seed)
        self._began = time.perf_counter()
        self._seconds_to_first: float | None = None

    def hear(
        self, token: int, stop_ids: frozenset[int], is_finished: IsFinished
    ) -> Completion | None:
        """Take the next token; the whole answer when it ends with it."""
        if self._seconds_to_first is None:
            self._seconds_to_first = time.perf_counter() - self._began
        if token in stop_ids:
            return self._completion("stop")
        self.said.append(token)
        if is_finished(self.prompt.index, self.said):
            return self._completion("stop")
        return self._completion("length") if len(self.said) >= self.prompt.limit else None

    def _completion(self, reason: FinishReason) -> Completion:
        seconds = time.perf_counter() - self._began
        return Completion(tuple(self.said), reason, self._seconds_to_first or seconds, seconds)


def next_tokens(logits: torch.Tensor, answers: Sequence[Answer]) -> list[int]:
    """The next token of each answer, from logits (n, V)."""
    samplings = [answer.prompt.sampling for answer in answers]
    tokens: list[int] = choose_tokens(logits, samplings, [a.die for a in answers]).tolist()
    return tokens
