"""What every way of putting a record to a model offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tuneval.errors import UsageError
from tuneval.scoring.config import Unconditional
from tuneval.scoring.item import Exercise, ScoringItem
from tuneval.scoring.prompts import Prompts, Target
from tuneval.scoring.reasons import Unscored
from tuneval.tokenization.beginning import begins_with

Ids = npt.NDArray[np.int32]
NOTHING = np.zeros(0, np.int32)
REMEMBERED = 16_384
"""Encoded examples kept at hand: those of a window, and their peers."""


@dataclass(frozen=True, slots=True)
class Turn:
    """`target` after `context`; the last `n_new` ids of the context are this turn's own prompt."""

    context: Ids
    target: Ids
    n_new: int


NO_TURN = Turn(NOTHING, NOTHING, 0)


class PromptEncoder(ABC):
    """Prompts bound to a tokenizer.

    `longest` is how many ids a sequence may have; `bos` begins every sequence, empty where the
    tokenizer begins texts with nothing.
    """

    name: str

    def __init__(self, tokenizer: Any, *, longest: int | None, unconditional: Unconditional):
        self.tokenizer = tokenizer
        self.longest = longest
        self.bos = begins_with(tokenizer)
        self._unconditional = unconditional
        self._responses: dict[str, list[Turn] | Unscored] = {}
        self._shots: dict[str, Ids] = {}

    @property
    @abstractmethod
    def hash(self) -> str:
        """16 hex digits over the prompts' texts."""

    def responses(self, item: ScoringItem) -> list[Turn] | Unscored:
        """Every assistant turn after all that stands before it."""
        if item.id not in self._responses:
            if len(self._responses) >= REMEMBERED:
                self._responses.clear()
            self._responses[item.id] = self._encoded(item)
        return self._responses[item.id]

    @abstractmethod
    def instructions(self, item: ScoringItem) -> list[Turn] | Unscored:
        """Every instruction after the reversed prompt: the response and the input.

        A turn without an instruction has no target.
        """

    @abstractmethod
    def one_shot(self, shot: ScoringItem, item: ScoringItem) -> list[Turn] | Unscored:
        """The turns of `responses(item)` with the first exchange of `shot` shown before them."""

    @abstractmethod
    def _encoded(self, item: ScoringItem) -> list[Turn] | Unscored: ...

    @abstractmethod
    def _header(self, of: Target) -> Ids: ...

    def lead(self, of: Target) -> Ids:
        """What stands before a text that is measured alone: nothing, BOS or the header."""
        match self._unconditional:
            case "auto":
                return self.bos
            case "nothing":
                return NOTHING
            case "header":
                return np.concatenate([self.bos, self._header(of)])
            case "bos":
                token = self.tokenizer.bos_token_id
                if token is None:
                    raise UsageError(
                        "The tokenizer has no BOS token to stand before a text.",
                        where="unconditional: bos",
                        mend="choose unconditional: nothing or header",
                    )
                return np.array([token], np.int32)

    def fit(self, turn: Turn, *, beside: Ids = NOTHING) -> Ids:
        """As much of the target as there is room for after the context, and after `beside`."""
        if self.longest is None:
            return turn.target
        n_before = max(len(turn.context), len(beside))
        return turn.target[: max(0, self.longest - n_before)]

    def ids(self, text: str) -> Ids:
        """The ids of a text alone, nothing added."""
        found = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return np.array(found, np.int32)


def reversed_text(prompts: Prompts, exercise: Exercise) -> str:
    """The request to guess the instruction."""
    text = prompts.reversed if exercise.input else prompts.reversed_no_input
    return text.format(input=exercise.input, response=exercise.response)


def turn_of(context: Sequence[Ids], target: Ids) -> Turn:
    """The turn after these ids, all of them its own prompt."""
    ids = np.concatenate(list(context))
    return Turn(ids, target, len(ids))
