"""Records in the model's own chat template."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tuneval import files
from tuneval.data.example import Example, Message
from tuneval.errors import DataError
from tuneval.scoring.encoding.encoder import (
    NO_TURN,
    Ids,
    PromptEncoder,
    Turn,
    reversed_text,
    turn_of,
)
from tuneval.scoring.item import ScoringItem
from tuneval.scoring.prompts import CHAT, Prompts, Target
from tuneval.scoring.reasons import Unscored
from tuneval.tokenization import Template


class ChatEncoder(PromptEncoder):
    """The model's own chat template: what training reads and generation begins from.

    A response is all that training would learn of a turn, its end-of-turn token included. BOS
    before a conversation is the template's to write; `bos` stands before texts alone.
    """

    name = CHAT

    def __init__(self, template: Template, prompts: Prompts, **more: Any) -> None:
        super().__init__(template.tokenizer, **more)
        self.template = template
        self.prompts = prompts

    @property
    def hash(self) -> str:
        """16 hex digits over the chat template and the reversed request."""
        texts = [self.prompts.reversed, self.prompts.reversed_no_input]
        return files.sha256_json([self.template.hash, *texts])[:16]

    def _encoded(self, item: ScoringItem) -> list[Turn] | Unscored:
        try:
            tokens = self.template.encode(_answers_alone(item.example)).tokens
        except DataError:
            return Unscored("template_refuses")
        return turns_of(tokens.ids, tokens.loss_mask)

    def instructions(self, item: ScoringItem) -> list[Turn] | Unscored:
        """The reversed request as a user's turn, the instruction as the answer to it."""
        turns = []
        for exercise in item.exercises:
            if not exercise.instruction.strip():
                turns.append(NO_TURN)
                continue
            asked = Message("user", reversed_text(self.prompts, exercise).rstrip("\n"))
            try:
                context = self.template.encode_prompt([asked])
            except DataError:
                return Unscored("template_refuses")
            turns.append(turn_of([np.array(context, np.int32)], self.ids(exercise.instruction)))
        return turns

    def one_shot(self, shot: ScoringItem, item: ScoringItem) -> list[Turn] | Unscored:
        """See `PromptEncoder.one_shot`. The shot is an exchange after the system turn."""
        turns, first = shot.example.messages, shot.exercises[0].index
        asked = max((i for i in range(first) if turns[i].role == "user"), default=first)
        shown = turns[asked : first + 1]
        messages = item.example.messages
        n_system = 1 if messages[0].role == "system" else 0
        together = (*messages[:n_system], *shown, *messages[n_system:])
        shown_before = _answers_alone(replace(item.example, messages=together))
        try:
            tokens = self.template.encode(shown_before).tokens
        except DataError:
            return Unscored("template_refuses")
        return turns_of(tokens.ids, tokens.loss_mask)[1:]

    def _header(self, of: Target) -> Ids:
        before = (Message("user", "a1b2c3"),)
        closed, opened = (self.template.render(before, add_header=h) for h in (False, True))
        return self.ids(opened.removeprefix(closed))


def turns_of(ids: Ids, mask: npt.NDArray[np.bool_]) -> list[Turn]:
    """A turn for each stretch of trained tokens."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    turns = []
    end_before = 0
    for start, end in edges.reshape(-1, 2):
        turns.append(Turn(ids[:start], ids[start:end], int(start) - end_before))
        end_before = int(end)
    return turns


def _answers_alone(example: Example) -> Example:
    """The example with its calls of tools as turns that are not trained: they are no exercises."""
    turns = (replace(m, train=False) if m.tool_calls else m for m in example.messages)
    return replace(example, messages=tuple(turns))
