"""What a cell of a table stands for: a text, or JSON in the columns that need more than a text.

A CSV cell is a text. Lists, objects and booleans are written as JSON, and read as such only in
the columns that can hold nothing else; an `output` that looks like JSON stays a text. An empty
cell is a missing key where a key may be missing, elsewhere an empty text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tuneval.data.strict_json import UNDECIDED, Flaw, JsonError, StrictDecoder, quick

_TURN_KEYS = ({"role"}, {"from"})


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_list_or_object(value: Any) -> bool:
    return isinstance(value, list | dict)


def _is_turns(value: Any) -> bool:
    """Whether it is a turn or a list of them; prompts and answers may also be plain texts."""
    turns = value if isinstance(value, list) else [value]
    return bool(turns) and all(
        isinstance(turn, dict) and any(keys <= turn.keys() for keys in _TURN_KEYS) for turn in turns
    )


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


# Columns that may hold JSON, and the values that are taken for it.
JSON_COLUMNS: dict[str, Callable[[Any], bool]] = {
    "messages": _is_list,
    "conversations": _is_list,
    "history": _is_list,
    "tools": _is_list_or_object,
    "tags": _is_object,
    "images": _is_list,
    "videos": _is_list,
    "audios": _is_list,
    "prompt": _is_turns,
    "completion": _is_turns,
    "chosen": _is_turns,
    "rejected": _is_turns,
    "label": _is_boolean,
    "kto_tag": _is_boolean,
}
# Elsewhere an empty cell is an empty text, and perhaps a fault of the record.
EMPTY_IS_MISSING = frozenset({
    "input", "query", "system", "history", "tools", "tags", "group", "images", "videos", "audios",
    "messages", "conversations", "label", "kto_tag",
})  # fmt: skip


def value_of(column: str, cell: str) -> tuple[Any, tuple[Flaw, ...]]:
    """The value of a cell that is not empty, and what a strict reader says of its JSON."""
    is_meant = JSON_COLUMNS.get(column)
    if is_meant is None:
        return cell, ()
    text = cell.strip()
    if is_meant is _is_boolean:
        return {"true": True, "false": False}.get(text.lower(), cell), ()
    if not text.startswith(("[", "{")):
        return cell, ()
    value, flaws = _json(text)
    return (value, flaws) if is_meant(value) else (cell, ())


def _json(text: str) -> tuple[Any, tuple[Flaw, ...]]:
    """The value of a text that is JSON as a whole; the text itself when it is not."""
    try:
        value = quick(text.encode("utf-8"))
        if value is not UNDECIDED:
            return value, ()
        decoded = StrictDecoder().decode(text)
    except (JsonError, UnicodeEncodeError):
        return text, ()
    return (decoded.value, decoded.flaws) if decoded.end == len(text) else (text, ())
