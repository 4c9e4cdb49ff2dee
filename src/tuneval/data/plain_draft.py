"""The draft of a plain conversation, made without asking what might be wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tuneval.data.draft import Draft, Turn
from tuneval.data.example import Example, Message
from tuneval.data.plain import MAX_TURNS, Plain
from tuneval.data.record import Record

_PLACES = [(f"messages[{n}].content", f"messages[{n}].role") for n in range(MAX_TURNS)]
_NOTHING = Plain((), ())


@dataclass(frozen=True)
class PlainDraft(Draft):
    """A draft that is known to be whole: nobody has to look at its turns to make its item."""

    found: Plain = _NOTHING

    @cached_property
    def item(self) -> Example:
        """The conversation."""
        messages = tuple(map(Message, self.found.roles, self.found.contents))
        return Example(messages, self.record.source)


def plain_draft(record: Record, found: Plain) -> PlainDraft:
    """The draft of a record that is a plain conversation and has no finding."""
    turns = [
        Turn(role=role, content=content, path=path, role_path=role_path)
        for role, content, (path, role_path) in zip(*found, _PLACES, strict=False)
    ]
    return PlainDraft(record, turns=tuple(turns), found=found)
