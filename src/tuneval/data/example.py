"""What an example is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

Role = Literal["system", "user", "assistant"]
ROLES: tuple[Role, ...] = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `train` overrides the default (assistant turns are trained, others are not)."""

    role: Role
    content: str
    train: bool | None = None

    @property
    def is_trained(self) -> bool:
        """Whether the loss covers this turn."""
        return self.role == "assistant" if self.train is None else self.train


@dataclass(frozen=True, slots=True)
class Source:
    """Where an example was read: the record's first line, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Example:
    """A conversation to learn from or to be tested on."""

    messages: tuple[Message, ...]
    source: Source
    group: str | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def id(self) -> str:
        """Content hash, 16 hex digits: the same messages have the same id wherever they stand."""
        rows = [[m.role, m.content, m.train] for m in self.messages]
        text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

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
