"""Records as token ids: what stands before a text that is measured, and the text itself.

Texts that meet at a border are tokenised apart, so that a border is exact and equal texts have
equal ids wherever they stand.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tuneval import files
from tuneval.data.example import Example, Message
from tuneval.errors import DataError, UsageError
from tuneval.scoring.config import ScoreConfig, Unconditional
from tuneval.scoring.item import Exercise, ScoringItem
from tuneval.scoring.prompts import CHAT, Prompts, cut, load_prompts
from tuneval.scoring.reasons import Unscored
from tuneval.tokenization import Template, load_template

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
    def _header(self) -> Ids: ...

    @cached_property
    def lead(self) -> Ids:
        """What stands before a text that is measured alone: nothing, BOS or the header."""
        match self._unconditional:
            case "auto":
                return self.bos
            case "nothing":
                return NOTHING
            case "header":
                return np.concatenate([self.bos, self._header()])
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
            _turn([self.bos, *self._reversed(exercise)], self.ids(exercise.instruction))
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

    def border_moves(self, exercise: Exercise) -> bool:
        """Whether prompt and response as one text have other ids than apart."""
        prompt = self._segments(exercise)[-1]
        together = self.ids(prompt + exercise.response)
        apart = np.concatenate([self.ids(prompt), self.ids(exercise.response)])
        return not np.array_equal(together, apart)

    def _header(self) -> Ids:
        return self.ids(self.prompts.header)

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
        return _spans(tokens.ids, tokens.loss_mask)

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
            turns.append(_turn([np.array(context, np.int32)], self.ids(exercise.instruction)))
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
        return _spans(tokens.ids, tokens.loss_mask)[1:]

    def _header(self) -> Ids:
        before = (Message("user", "a1b2c3"),)
        closed, opened = (self.template.render(before, add_header=h) for h in (False, True))
        return self.ids(opened.removeprefix(closed))


def prompt_encoder(config: ScoreConfig, tokenizer: Any, *, longest: int | None) -> PromptEncoder:
    """The prompts that the config names. Sequences never get longer than the model reads.

    Raises UsageError for unknown prompts, and for `chat` with a tokenizer that has no template.
    """
    limits = [n for n in (longest, config.max_length) if n is not None]
    more: dict[str, Any] = {
        "longest": min(limits) if limits else None,
        "unconditional": config.unconditional,
    }
    if config.prompts == CHAT:
        return ChatEncoder(load_template(tokenizer), load_prompts("instruction"), **more)
    return InstructionEncoder(load_prompts(config.prompts), tokenizer, **more)


def begins_with(tokenizer: Any) -> Ids:
    """What the tokenizer itself puts before a text: BOS, or nothing."""
    found = tokenizer("a", add_special_tokens=True)["input_ids"]
    alone = tokenizer("a", add_special_tokens=False)["input_ids"]
    for n in range(len(found) - len(alone) + 1):
        if found[n : n + len(alone)] == alone:
            return np.array(found[:n], np.int32)
    return NOTHING


def reversed_text(prompts: Prompts, exercise: Exercise) -> str:
    """The request to guess the instruction."""
    text = prompts.reversed if exercise.input else prompts.reversed_no_input
    return text.format(input=exercise.input, response=exercise.response)


def _turn(context: Sequence[Ids], target: Ids) -> Turn:
    ids = np.concatenate(list(context))
    return Turn(ids, target, len(ids))


def _spans(ids: Ids, mask: npt.NDArray[np.bool_]) -> list[Turn]:
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


def _uses_tools(item: ScoringItem) -> bool:
    messages = item.example.messages
    return bool(item.example.tools) or any(m.tool_calls or m.role == "tool" for m in messages)
