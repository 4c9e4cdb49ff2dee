"""Lists of `{"role", "content"}` objects, as messages, preferences and completions have them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tuneval.data.draft import Drafting, Part
from tuneval.data.example import Message, ToolCall
from tuneval.data.finding import clip
from tuneval.data.record import kind_of
from tuneval.data.tools import read_call

_MESSAGE_KEYS = frozenset(
    {"role", "content", "train", "weight", "tool_calls", "tool_call_id", "name"}
)
_EXAMPLE = '[{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]'


def add_messages(drafting: Drafting, key: str, part: Part = "messages") -> None:
    """The turns that the record has under `key`, a list of messages."""
    rows = drafting.value.get(key)
    if key not in drafting.value:
        what = f"'{key}' is missing."
        drafting.fault(f"shape.no_{key}", what, mend=f"add {_EXAMPLE}", path=key)
    elif not isinstance(rows, list):
        hint = " (JSON inside a text?)" if isinstance(rows, str) and "[" in rows else ""
        what = f"{key} is {kind_of(rows)}{hint}, not a list."
        drafting.fault("shape.not_list", what, mend=f"write {_EXAMPLE}", path=key)
    elif not rows:
        what = f"{key} is an empty list."
        drafting.fault("shape.no_turns", what, mend="add turns or remove it", path=key)
    else:
        for number, row in enumerate(rows):
            add_message(drafting, row, f"{key}[{number}]", part)


def add_message(drafting: Drafting, row: Any, path: str, part: Part = "messages") -> None:
    """One turn, an object that stands at `path`."""
    if not isinstance(row, dict):
        what = f"{path} is {kind_of(row)}, not an object: {clip(row)}."
        drafting.fault("shape.not_object", what, mend='write {"role", "content"}', path=path)
        drafting.add(None, None, path, part=part)
        return
    role = drafting.text(row, "role", f"{path}.role")
    calls = _calls(drafting, row, f"{path}.tool_calls")
    content = _content(drafting, row, f"{path}.content", may_miss=bool(calls))
    drafting.leave_unused(f"messages[].{key}" for key in row if key not in _MESSAGE_KEYS)
    drafting.add(
        role,
        content,
        f"{path}.content",
        role_path=f"{path}.role",
        part=part,
        train=_train(drafting, row, path),
        tool_calls=calls,
        tool_call_id=_name(drafting, row, "tool_call_id", path),
        name=_name(drafting, row, "name", path),
    )


def message_rows(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Messages as such a list; every field of a Message has its place."""
    return [_message_row(message) for message in messages]


def _message_row(message: Message) -> dict[str, Any]:
    row: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.train is not None:
        row["train"] = message.train
    if message.tool_calls:
        row["tool_calls"] = [_call_row(call) for call in message.tool_calls]
    optional = {"tool_call_id": message.tool_call_id, "name": message.name}
    return row | {key: value for key, value in optional.items() if value is not None}


def _call_row(call: ToolCall) -> dict[str, Any]:
    row: dict[str, Any] = {} if call.id is None else {"id": call.id}
    function = {"name": call.name, "arguments": json.loads(call.arguments)}
    return row | {"type": "function", "function": function}


def _content(drafting: Drafting, row: dict[str, Any], path: str, *, may_miss: bool) -> str | None:
    content = row.get("content")
    if content is None and may_miss:
        return ""
    if isinstance(content, list) and content:
        what = f"{path} is a list of parts; only text is read."
        drafting.fault("shape.not_text", what, mend="join the parts into one text", path=path)
        return None
    return drafting.text(row, "content", path)


def _train(drafting: Drafting, row: dict[str, Any], path: str) -> bool | None:
    train = row.get("train")
    if train is not None and not isinstance(train, bool):
        what = f"{path}.train is {kind_of(train)}, not true or false."
        drafting.fault("shape.train", what, mend="write true or false", path=f"{path}.train")
        return None
    weight = row.get("weight")
    if weight is None or train is not None:
        return train
    if isinstance(weight, bool) or weight not in (0, 1):
        what = f"{path}.weight is {clip(weight)}; it is 0 or 1."
        drafting.fault("shape.weight", what, mend="write 0 or 1", path=f"{path}.weight")
        return None
    return bool(weight)


def _name(drafting: Drafting, row: dict[str, Any], key: str, path: str) -> str | None:
    value = row.get(key)
    return None if value is None else drafting.as_text(value, f"{path}.{key}")


def _calls(drafting: Drafting, row: dict[str, Any], path: str) -> tuple[ToolCall, ...]:
    value = row.get("tool_calls")
    if value is None:
        return ()
    if not isinstance(value, list):
        what = f"{path} is {kind_of(value)}, not a list."
        drafting.fault("shape.not_list", what, mend="write a list of calls", path=path)
        return ()
    calls = [read_call(drafting, call, f"{path}[{n}]") for n, call in enumerate(value)]
    return tuple(call for call in calls if call is not None)
