"""Lists of `{"role", "content"}` objects, as messages, preferences and completions have them.

OpenAI's older way to write tools is read too: the field `function_call` is a call, and a turn
with the role `function` is one of the role tool.
"""

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
    {"role", "content", "train", "weight", "tool_calls", "tool_call_id", "name", "function_call"}
)
_EXAMPLE = '[{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]'


def add_messages(
    drafting: Drafting,
    key: str,
    part: Part = "messages",
    *,
    last: Part | None = None,
    trained: bool | None = None,
) -> None:
    """The turns that the record has under `key`, a list of messages; `last` is the last one's part.

    For `trained` see `add_message`.
    """
    rows = list_of_turns(drafting, key, _EXAMPLE)
    for number, row in enumerate(rows, start=1):
        own = last if last and number == len(rows) else part
        add_message(drafting, row, f"{key}[{number - 1}]", own, trained=trained)


def list_of_turns(drafting: Drafting, key: str, example: str) -> list[Any]:
    """The list under `key`; empty, and a fault, when there is none or nothing in it."""
    rows = drafting.value.get(key)
    if key not in drafting.value:
        what = f"'{key}' is missing."
        drafting.fault(f"shape.no_{key}", what, mend=f"add {example}", path=key)
    elif not isinstance(rows, list):
        hint = " (JSON inside a text?)" if isinstance(rows, str) and "[" in rows else ""
        what = f"{key} is {kind_of(rows)}{hint}, not a list."
        drafting.fault("shape.not_list", what, mend=f"write {example}", path=key)
    elif not rows:
        what = f"{key} is an empty list."
        drafting.fault("shape.no_turns", what, mend="add turns or remove it", path=key)
    else:
        return rows
    return []


def add_message(
    drafting: Drafting,
    row: Any,
    path: str,
    part: Part = "messages",
    *,
    trained: bool | None = None,
) -> None:
    """One turn, an object that stands at `path`.

    `trained` says whether the loss covers the part where the turn itself is silent about it;
    None leaves that to its role.
    """
    if not isinstance(row, dict):
        what = f"{path} is {kind_of(row)}, not an object: {clip(row)}."
        drafting.fault("shape.not_object", what, mend='write {"role", "content"}', path=path)
        drafting.add(None, None, path, part=part)
        return
    role = drafting.text(row, "role", f"{path}.role")
    train = _train(drafting, row, path)
    if train is None and trained is not None and (role == "assistant") != trained:
        train = trained
    calls = _calls(drafting, row, path)
    unknown = [key for key, value in row.items() if key not in _MESSAGE_KEYS and value is not None]
    drafting.leave_unused(f"{path.partition('[')[0]}[].{key}" for key in unknown)
    drafting.add(
        "tool" if role == "function" else role,
        _content(drafting, row, f"{path}.content"),
        f"{path}.content",
        role_path=f"{path}.role",
        part=part,
        train=train,
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


def _content(drafting: Drafting, row: dict[str, Any], path: str) -> str | None:
    content = row.get("content")
    if content is None and (row.get("tool_calls") or row.get("function_call")):
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
    # OpenAI's weight 1 is what an assistant turn has anyway: the same conversation, the same id.
    return None if weight == 1 and row.get("role") == "assistant" else bool(weight)


def _name(drafting: Drafting, row: dict[str, Any], key: str, path: str) -> str | None:
    value = row.get(key)
    return None if value is None else drafting.as_text(value, f"{path}.{key}")


def _calls(drafting: Drafting, row: dict[str, Any], path: str) -> tuple[ToolCall, ...]:
    value, old = row.get("tool_calls"), row.get("function_call")
    if value is not None and not isinstance(value, list):
        what = f"{path}.tool_calls is {kind_of(value)}, not a list."
        drafting.fault(
            "shape.not_list", what, mend="write a list of calls", path=f"{path}.tool_calls"
        )
        return ()
    calls = [
        read_call(drafting, call, f"{path}.tool_calls[{n}]") for n, call in enumerate(value or ())
    ]
    if old is not None:
        calls.append(read_call(drafting, old, f"{path}.function_call"))
    return tuple(call for call in calls if call is not None)
