"""Records in the texts of `Prompts`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tuneval.scoring.encoding.encoder import (
    NO_TURN,
    REMEMBERED,
    Ids,
    PromptEncoder,
    Turn,
    reversed_text,
    turn_of,
)
from tuneval.scoring.item import Exercise, ScoringItem
from tuneval.scoring.prompts import Prompts, Target, cut
from tuneval.scoring.reasons import Unscored


class InstructionEncoder(PromptEncoder):
    """The texts of `Prompts`."""

    def __init__(self, prompts: Prompts, tokenizer: Any, **more: Any) -> None:
        super().__init__(tokenizer, **more)
        self.prompts = prompts
        self.name = prompts.name

    @property
    def hash(self) -> str:
        """16 hex digits over the prompts' texts."""
        return self.prompts.hash

    def _encoded(self, item: ScoringItem) -> list[Turn] | Unscored:
        if _uses_tools(item):
            return Unscored("tools_need_chat")
        turns = []
        for exercise in item.exercises:
            segments = self._segments(exercise)
            pieces = [self.bos, *map(self.ids, segments)]
            n_new = len(pieces[-1]) + (len(self.bos) if len(pieces) == 2 else 0)
            turns.append(Turn(np.concatenate(pieces), self.ids(exercise.response), n_new))
        return turns

    def instructions(self, item: ScoringItem) -> list[Turn] | Unscored:
        """See `PromptEncoder.instructions`."""
        if _uses_tools(item):
            return Unscored("tools_need_chat")
        return [
            turn_of([self.bos, *self._reversed(exercise)], self.ids(exercise.instruction))
            if exercise.instruction.strip()
            else NO_TURN
            for exercise in item.exercises
        ]

    def one_shot(self, shot: ScoringItem, item: ScoringItem) -> list[Turn] | Unscored:
        """See `PromptEncoder.one_shot`. The shot is tokenised apart and stands after BOS."""
        turns = self.responses(item)
        if isinstance(turns, Unscored):
            return turns
        own = self._shot(shot)
        n_bos = len(self.bos)
        return [
            replace(turn, context=np.concatenate([self.bos, own, turn.context[n_bos:]]))
            for turn in turns
        ]

    def border_moves(self, item: ScoringItem) -> bool:
        """Whether some prompt and its response as one text have other ids than apart."""
        turns = self.responses(item)
        if isinstance(turns, Unscored):
            return False
        return any(
            not np.array_equal(
                self.ids(self._segments(exercise)[-1] + exercise.response), self._own(turn)
            )
            for exercise, turn in zip(item.exercises, turns, strict=True)
        )

    def _own(self, turn: Turn) -> Ids:
        """The turn's own prompt and its response, without BOS."""
        start = max(len(self.bos), len(turn.context) - turn.n_new)
        return np.concatenate([turn.context[start:], turn.target])

    def _header(self, of: Target) -> Ids:
        return self.ids(self.prompts.header(of))

    def _shot(self, item: ScoringItem) -> Ids:
        if item.id not in self._shots:
            if len(self._shots) >= REMEMBERED:
                self._shots.clear()
            self._shots[item.id] = self.ids(self._shot_text(item.exercises[0]))
        return self._shots[item.id]

    def _shot_text(self, exercise: Exercise) -> str:
        text = self.prompts.shot if exercise.input else self.prompts.shot_no_input
        return text.format(
            example_instruction=exercise.instruction,
            example_input=exercise.input,
            example_response=exercise.response,
        )

    def _reversed(self, exercise: Exercise) -> list[Ids]:
        """The reversed prompt; one that begins as the shot does is cut there, to share its ids."""
        text, shot = reversed_text(self.prompts, exercise), self._shot_text(exercise)
        if text.startswith(shot):
            return [self.ids(shot), self.ids(text.removeprefix(shot))]
        return [self.ids(text)]

    def _segments(self, exercise: Exercise) -> list[str]:
        """The prompt, cut where a response of an earlier turn begins and ends."""
        prompts = self.prompts
        head, tail = self._question(exercise)
        segments = [head]
        for message in exercise.before:
            if message.role == "assistant":
                segments += [message.content, prompts.turn_end.format()]
            elif message.role == "system":
                segments[-1] += message.content + prompts.turn_end.format()
            else:
                segments[-1] += prompts.turn.format(instruction=message.content)
        segments[-1] += tail
        return segments

    def _question(self, exercise: Exercise) -> tuple[str, str]:
        """The zero-shot prompt before and after the place of the history; without one, after."""
        text = self.prompts.zero_shot if exercise.input else self.prompts.zero_shot_no_input
        values = {"instruction": exercise.instruction, "input": exercise.input}
        head, filled = None, ""
        for literal, place in cut(text):
            filled += literal
            if place == "history":
                head, filled = filled, ""
            elif place is not None:
                filled += values[place]
        return head or "", filled


def _uses_tools(item: ScoringItem) -> bool:
    messages = item.example.messages
    return bool(item.example.tools) or any(m.tool_calls or m.role == "tool" for m in messages)
