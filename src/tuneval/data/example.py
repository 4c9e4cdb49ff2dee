"""What an item of a data set is: a conversation, a text, or a preference."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import orjson

Role = Literal["system", "user", "assistant", "tool"]
ROLES: tuple[Role, ...] = ("system", "user", "assistant", "tool")
Kind = Literal["conversation", "text", "preference", "unpaired_preference"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the assistant asks for. `arguments` is canonical JSON (see `canonical_json`)."""

    name: str
    arguments: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `train` overrides the default (assistant turns are trained, others are not).

    A turn with `tool_calls` may have an empty content. `tool_call_id` and `name` belong to the
    answer of a tool. `input` is the end of a content whose file tells an instruction from its
    input (alpaca); it changes neither identity nor equality.
    """

    role: Role
    content: str
    train: bool | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
    input: str | None = field(default=None, compare=False)

    @property
    def is_trained(self) -> bool:
        """Whether the loss covers this turn."""
        return self.role == "assistant" if self.train is None else self.train


@dataclass(frozen=True, slots=True)
class Source:
    """Where an item was read: the record's first line, or its row in a table, counted from 1."""

    file: str
    line: int
    unit: Literal["line", "row"] = "line"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.unit == "line" else f"{self.file}:row {self.line}"

    @property
    def place(self) -> str:
        """`line 12` or `row 12`."""
        return f"{self.unit} {self.line}"


@dataclass(frozen=True)
class Example:
    """A conversation to learn from or to be tested on.

    `tools` are the JSON schemas of the functions that the assistant may call.
    """

    messages: tuple[Message, ...]
    source: Source
    group: str | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)
    tools: tuple[Mapping[str, Any], ...] = ()

    @cached_property
    def id(self) -> str:
        """Content hash, 16 hex digits: the same messages have the same id wherever they stand."""
        rows = _rows(self.messages)
        return _hash([rows, list(self.tools)]) if self.tools else _hash_of_texts(rows)

    @property
    def prompt(self) -> tuple[Message, ...]:
        """All turns before the last assistant turn."""
        return self.messages[:-1] if self.answer is not None else self.messages

    @property
    def answer(self) -> str | None:
        """The last assistant turn's text, or None when the conversation ends otherwise."""
        if self.messages and self.messages[-1].role == "assistant":
            return self.messages[-1].content
        return None


@dataclass(frozen=True)
class Text:
    """A plain text, as pre-training reads it."""

    text: str
    source: Source
    group: str | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def id(self) -> str:
        """Content hash, 16 hex digits."""
        return _hash_of_texts({"text": self.text})


@dataclass(frozen=True)
class Preference:
    """Two ways to go on from a prompt, one of them preferred."""

    prompt: tuple[Message, ...]
    chosen: tuple[Message, ...]
    rejected: tuple[Message, ...]
    source: Source
    group: str | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)
    tools: tuple[Mapping[str, Any], ...] = ()

    @cached_property
    def id(self) -> str:
        """Content hash, 16 hex digits."""
        parts = {"chosen": _rows(self.chosen), "rejected": _rows(self.rejected)}
        return _hash({"prompt": _rows(self.prompt)} | parts | _tools(self.tools))


@dataclass(frozen=True)
class UnpairedPreference:
    """One way to go on from a prompt, and whether it is a desired one (KTO)."""

    prompt: tuple[Message, ...]
    completion: tuple[Message, ...]
    label: bool
    source: Source
    group: str | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)
    tools: tuple[Mapping[str, Any], ...] = ()

    @cached_property
    def id(self) -> str:
        """Content hash, 16 hex digits."""
        parts = {"completion": _rows(self.completion), "label": self.label}
        return _hash({"prompt": _rows(self.prompt)} | parts | _tools(self.tools))


Item = Example | Text | Preference | UnpairedPreference


def canonical_json(value: Any) -> str:
    """JSON on one line in the given order of keys: equal values have equal texts."""
    return json.dumps(value, ensure_ascii=False)


def _rows(messages: Sequence[Message]) -> list[list[Any]]:
    return [_row(message) for message in messages]


def _row(message: Message) -> list[Any]:
    row: list[Any] = [message.role, message.content, message.train]
    if message.tool_calls or message.tool_call_id or message.name:
        calls = [[call.name, call.arguments, call.id] for call in message.tool_calls]
        row += [calls, message.tool_call_id, message.name]
    return row


def _tools(tools: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"tools": list(tools)} if tools else {}


def _hash_of_texts(content: Any) -> str:
    """The same of texts, true, false and null, for which orjson writes what `json` does, faster."""
    try:
        return hashlib.sha256(orjson.dumps(content)).hexdigest()[:16]
    except TypeError:  # half of a surrogate pair
        return _hash(content)


def _hash(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
