"""What is left of a question's frame when its demonstrations do not all fit."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from tuneval.data.example import Message
from tuneval.evaluation.question import Prompt, Question

Length = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Form:
    """A question with the head and the shots that are left of it."""

    question: Question
    head: Prompt
    shots: tuple[Prompt, ...]

    @classmethod
    def whole(cls, question: Question, shot_seed: int | None) -> Form:
        """All of it; the shots in their own order, or in one drawn by the seed.

        Questions with the same shots get the same order, so that what they share stays shared.
        """
        shots = list(question.shots)
        if shot_seed is not None:
            digest = hashlib.sha256(repr(question.shots).encode()).hexdigest()
            random.Random(f"{shot_seed}:{digest}").shuffle(shots)
        return cls(question, question.head, tuple(shots))

    @property
    def is_chat(self) -> bool:
        """Whether it goes through the chat template."""
        return not isinstance(self.question.prompt, str)

    @property
    def text(self) -> str:
        """A text prompt, up to where the model goes on."""
        parts = (self.head, *self.shots, self.question.prompt, self.question.begins)
        return "".join(part for part in parts if isinstance(part, str))

    @property
    def messages(self) -> tuple[Message, ...]:
        """A chat prompt, up to the assistant's turn; what a user says in a row is one turn."""
        parts = (self.head, *self.shots, self.question.prompt)
        said = (message for part in parts if not isinstance(part, str) for message in part)
        turns: list[Message] = []
        for message in said:
            if turns and turns[-1].role == message.role == "user":
                turns[-1] = replace(turns[-1], content=turns[-1].content + message.content)
            else:
                turns.append(message)
        return tuple(turns)

    @property
    def has_lost(self) -> bool:
        """Whether something of it was left out."""
        return len(self.shots) < len(self.question.shots) or self.head != self.question.head

    def shorter(self, length: Length) -> Form | None:
        """With one shot less, as the question says which; then without its head; then None.

        `length` counts the tokens of a text.
        """
        if self.shots:
            place = self._dropped(length)
            return replace(self, shots=self.shots[:place] + self.shots[place + 1 :])
        return replace(self, head="") if self.head else None

    def _dropped(self, length: Length) -> int:
        match self.question.drop:
            case "first":
                return 0
            case "last":
                return len(self.shots) - 1
            case "longest":
                sizes = [length(_text_of(shot)) for shot in self.shots]
                return max(range(len(sizes)), key=lambda place: (sizes[place], place))


def _text_of(shot: Prompt) -> str:
    return shot if isinstance(shot, str) else "".join(message.content for message in shot)
