"""NaN and Infinity, which are no JSON, become null where nothing is read from them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding
from tuneval.data.repairs.place import Step, with_value

# Keys of a turn that some format reads. Others may be anything, and are not always named.
_READ = frozenset(
    {"role", "content", "from", "value", "name", "train", "weight"}
    | {"tool_calls", "tool_call_id", "function_call"}
)


class _NoNumber:
    """Stands for NaN, Infinity or -Infinity."""


def nan_to_null(value: dict[str, Any], draft: Draft, finding: Finding) -> dict[str, Any] | None:
    """The record with null in place of each; None when one stands under a key that is read."""
    try:
        text = draft.record.raw.decode("utf-8-sig").strip(", \t\r\n")
        read = json.loads(text, parse_constant=lambda name: _NoNumber())
    except (ValueError, RecursionError):
        return None
    for steps in _places(read):
        if not _is_unused(steps, draft.unused_keys):
            return None
        value = with_value(value, steps, None)
    return value


def _places(value: Any) -> Iterator[list[Step]]:
    waiting: list[tuple[list[Step], Any]] = [([], value)]
    while waiting:
        steps, item = waiting.pop()
        if isinstance(item, _NoNumber):
            yield steps
        elif isinstance(item, dict):
            waiting += [([*steps, key], part) for key, part in item.items()]
        elif isinstance(item, list):
            waiting += [([*steps, at], part) for at, part in enumerate(item)]


def _is_unused(steps: list[Step], unused: tuple[str, ...]) -> bool:
    """Whether the record's key, or the turn's, is one that nothing is read from."""
    if steps[0] in unused:
        return True
    in_turn = len(steps) > 2 and isinstance(steps[1], int)
    return in_turn and steps[2] not in _READ
