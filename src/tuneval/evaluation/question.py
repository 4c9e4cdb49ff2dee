"""What a task asks: a prompt, how it is to be answered, and what would be right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tuneval.data.example import Message

Way = Literal["choose", "generate", "read"]
"""The likeliest of given choices; an answer written freely; the likelihood of a whole text."""

Prompt = str | tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Again:
    """A second stage: `text` is put below a question and its answer, and answered in its turn."""

    text: str
    max_new_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One item of a task before it is asked.

    The model is given `head`, then `shots`, then `prompt`: texts as they stand, one after the
    other, or messages, through its chat template; all three of one kind. Messages of one role
    that follow one another are one turn, their texts put together as they stand. Where that is
    too long, shots are dropped as `drop` says, then the head. `begins` is how the assistant's turn
    begins, where a protocol says so. `choices` are the continuations of the prompt, exactly as they
    follow it (a leading blank included); `gold` the places of the right ones. `reference` is the
    true answer as text, None where a judge or a person must decide. `extractor` names how an
    answer is read from what is written (None: the whole text). `fields` goes to `Item.fields` as
    it is. `group` is shared by items that hang together: questions on one passage.
    `temperature` is the one that the task prescribes; None leaves it to the evaluation. `after`
    is the id of the question before it in one conversation: it is asked when that one is
    answered, and its own prompt is only what is said then (see `turns`). With `then` the first
    answer is no more than the reasoning, and the answer to the second stage is the one that counts.
    """

    id: str
    source: str
    way: Way
    prompt: Prompt
    head: Prompt = ""
    shots: tuple[Prompt, ...] = ()
    drop: Literal["longest", "last", "first"] = "last"
    begins: str = ""
    choices: tuple[str, ...] = ()
    gold: tuple[int, ...] = ()
    reference: str | None = None
    extractor: str | None = None
    max_new_tokens: int = 64
    temperature: float | None = None
    after: str | None = None
    then: Again | None = None
    stop: tuple[str, ...] = ()
    group: str | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def asked(self) -> str:
        """What is asked, for a person to read: the last user turn, or the end of the text."""
        if isinstance(self.prompt, str):
            return self.prompt
        users = [message.content for message in self.prompt if message.role == "user"]
        return users[-1] if users else ""
