"""An example as scoring sees it: assistant turns, each with what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tuneval.data.example import Example, Message


@dataclass(frozen=True, slots=True)
class Exercise:
    """One assistant turn: the turns before its question, the question, and the answer.

    `instruction` and `input` make up the question; where the file knows no input, all of it is
    the instruction. `index` is the answer's place among the example's messages.
    """

    before: tuple[Message, ...]
    instruction: str
    input: str
    response: str
    index: int


@dataclass(frozen=True)
class ScoringItem:
    """An example with its exercises and the task it belongs to (None: unknown)."""

    example: Example
    exercises: tuple[Exercise, ...]
    task: str | None = None

    @property
    def id(self) -> str:
        """The example's content hash."""
        return self.example.id


def exercises_of(example: Example) -> tuple[Exercise, ...]:
    """Every assistant turn of the example that is trained and no call of a tool, in order."""
    return tuple(_exercises(example.messages))


def _exercises(messages: tuple[Message, ...]) -> Iterator[Exercise]:
    for index, message in enumerate(messages):
        if message.role != "assistant" or not message.is_trained or message.tool_calls:
            continue
        asked = messages[index - 1] if index and messages[index - 1].role == "user" else None
        if asked is None:
            yield Exercise(messages[:index], "", "", message.content, index)
        else:
            instruction, input = _parts(asked)
            yield Exercise(messages[: index - 1], instruction, input, message.content, index)


def _parts(question: Message) -> tuple[str, str]:
    """Instruction and input of a user turn."""
    if not question.input or not question.content.endswith(question.input):
        return question.content, ""
    instruction = question.content.removesuffix(question.input).removesuffix("\n")
    return instruction, question.input if question.input.strip() else ""
