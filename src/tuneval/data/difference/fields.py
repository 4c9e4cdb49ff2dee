"""What differs between two items, field by field, and word by word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tuneval.data.example import (
    Example,
    Item,
    Message,
    Preference,
    Text,
    UnpairedPreference,
    canonical_json,
)

MOST_WORDS = 2000
LEAST_ALIKE = 0.2
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field's value before and after; None where it is not there."""

    path: str
    old: str | None
    new: str | None

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that both have, or that is in the old or the new one only."""

    kind: Literal["both", "old", "new"]
    text: str


def changed_fields(old: Item, new: Item) -> tuple[FieldChange, ...]:
    """The fields that differ, in the order of the items."""
    before, after = dict(_fields(old)), dict(_fields(new))
    return tuple(
        FieldChange(path, before.get(path), after.get(path))
        for path in dict.fromkeys([*before, *after])
        if before.get(path) != after.get(path)
    )


def word_pieces(old: str, new: str) -> list[Piece]:
    """Both texts as one, cut where they differ, at words; a Chinese character is a word.

    Texts that are long or have little in common are not taken apart.
    """
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    whole = [Piece("old", old), Piece("new", new)]
    if len(before) > MOST_WORDS or len(after) > MOST_WORDS:
        return [piece for piece in whole if piece.text]
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < LEAST_ALIKE:
        return [piece for piece in whole if piece.text]
    pieces = []
    for kind, start, stop, new_start, new_stop in matcher.get_opcodes():
        if kind == "equal":
            pieces.append(Piece("both", "".join(before[start:stop])))
            continue
        pieces.append(Piece("old", "".join(before[start:stop])))
        pieces.append(Piece("new", "".join(after[new_start:new_stop])))
    return [piece for piece in pieces if piece.text]


def _fields(item: Item) -> Iterator[tuple[str, str]]:
    match item:
        case Example():
            yield from _turns("messages", item.messages)
        case Text():
            yield "text", item.text
        case Preference():
            yield from _turns("prompt", item.prompt)
            yield from _turns("chosen", item.chosen)
            yield from _turns("rejected", item.rejected)
        case UnpairedPreference():
            yield from _turns("prompt", item.prompt)
            yield from _turns("completion", item.completion)
            yield "label", canonical_json(item.label)
    if not isinstance(item, Text) and item.tools:
        yield "tools", canonical_json(list(item.tools))
    if item.group is not None:
        yield "group", item.group
    for name, value in item.tags.items():
        yield f"tags.{name}", value if isinstance(value, str) else canonical_json(value)


def _turns(path: str, messages: Sequence[Message]) -> Iterator[tuple[str, str]]:
    for number, message in enumerate(messages):
        place = f"{path}[{number}]"
        yield f"{place}.role", message.role
        yield f"{place}.content", message.content
        if message.train is not None:
            yield f"{place}.train", canonical_json(message.train)
        if message.tool_calls:
            calls = [f"{call.name}({call.arguments})" for call in message.tool_calls]
            yield f"{place}.tool_calls", " ".join(calls)
            yield f"{place}.tool_call_ids", " ".join(str(c.id) for c in message.tool_calls)
        for name in ("tool_call_id", "name"):
            if (value := getattr(message, name)) is not None:
                yield f"{place}.{name}", value
