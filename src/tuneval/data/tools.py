"""Tools: what an assistant may call, and its calls, as the formats write them."""

from __future__ import annotations

import re
from typing import Any, Final

from tuneval.data.draft import Drafting
from tuneval.data.example import ToolCall, canonical_json
from tuneval.data.finding import clip
from tuneval.data.record import kind_of
from tuneval.data.strict_json import JsonError, StrictDecoder, skip_whitespace

_EXAMPLE = '{"name": "…", "arguments": {…}}'
_FRAME_KEYS = frozenset({"id", "type", "function"})
_CALL_KEYS = frozenset({"name", "arguments"})
_BROKEN: Final = object()


def add_tools(drafting: Drafting, key: str = "tools") -> None:
    """The record's tools: a list of JSON schemas, or the same as JSON inside a text."""
    value = drafting.value.get(key)
    if isinstance(value, str):
        value = json_inside(drafting, value, key) if value.strip() else None
    if value is None or value is _BROKEN:
        return
    if not isinstance(value, list) or not all(isinstance(tool, dict) for tool in value):
        what = f"{key} is {kind_of(value)}, not a list of objects."
        if isinstance(value, list):
            what = f"{key} holds something that is no object: {clip(value)}."
        drafting.fault("tools.not_list", what, mend='write [{"name": "…", …}]', path=key)
        return
    drafting.tools = tuple(value)


def read_calls(drafting: Drafting, text: str, path: str) -> tuple[ToolCall, ...]:
    """The calls that a text holds as JSON: one object, or a list of them. Empty after a fault."""
    value = json_inside(drafting, text, path)
    if value is _BROKEN:
        return ()
    if not isinstance(value, list):
        return tuple(filter(None, [read_call(drafting, value, path)]))
    if not value:
        what = f"{path} is an empty list: it calls nothing."
        drafting.fault("tools.no_call", what, mend=f"write {_EXAMPLE}", path=path)
    calls = [read_call(drafting, call, f"{path}[{n}]") for n, call in enumerate(value)]
    return tuple(call for call in calls if call is not None)


def read_call(drafting: Drafting, value: Any, path: str) -> ToolCall | None:
    """One call, in OpenAI's form `{"id", "function": {"name", "arguments"}}` or without the frame.

    Arguments may be an object or, as OpenAI writes them, JSON inside a text.
    """
    framed = isinstance(value, dict) and "function" in value
    body, body_path = (value["function"], f"{path}.function") if framed else (value, path)
    if not isinstance(body, dict) or not isinstance(body.get("name"), str):
        what = f"{path} is no call: it names no function."
        drafting.fault("tools.no_name", what, mend=f"write {_EXAMPLE}", path=path)
        return None
    if framed:
        _name_unused(drafting, value, _FRAME_KEYS, path)
    _name_unused(drafting, body, _CALL_KEYS if framed else _CALL_KEYS | _FRAME_KEYS, body_path)
    arguments = _arguments(drafting, body, f"{body_path}.arguments")
    call_id = value.get("id")
    if call_id is not None and not isinstance(call_id, str):
        what = f"{path}.id is {kind_of(call_id)}, not a text."
        drafting.fault("tools.id", what, mend="write it in double quotes", path=f"{path}.id")
        return None
    return None if arguments is None else ToolCall(body["name"], arguments, call_id)


def json_inside(drafting: Drafting, text: str, path: str) -> Any:
    """The value of a text that is JSON, read as strictly as the file; a mark after a fault."""
    start = skip_whitespace(text, 0)
    try:
        decoded = StrictDecoder().decode(text, start)
    except JsonError as error:
        _not_json(drafting, error.flaw.what, path)
        return _BROKEN
    rest = skip_whitespace(text, decoded.end)
    if rest < len(text):
        _not_json(drafting, f"After the value the text goes on: {clip(text[rest:], 30)}.", path)
        return _BROKEN
    for flaw in decoded.flaws:
        drafting.fault(
            flaw.rule, f"In the JSON that {path} holds: {flaw.what}", mend=flaw.mend, path=path
        )
    return _BROKEN if decoded.flaws else decoded.value


def _arguments(drafting: Drafting, body: dict[str, Any], path: str) -> str | None:
    arguments = body.get("arguments", {})
    if isinstance(arguments, str):
        arguments = json_inside(drafting, arguments, path)
    if arguments is _BROKEN:
        return None
    if not isinstance(arguments, dict):
        what = f"{path} is {kind_of(arguments)}, not an object."
        drafting.fault("tools.arguments", what, mend=f"write {_EXAMPLE}", path=path)
        return None
    return canonical_json(arguments)


def _not_json(drafting: Drafting, why: str, path: str) -> None:
    what = f"{path} should hold JSON. {why}"
    drafting.fault("tools.not_json", what, mend="write JSON, the whole of it", path=path)


def _name_unused(
    drafting: Drafting, value: dict[str, Any], known: frozenset[str], path: str
) -> None:
    unknown = [key for key in value if key not in known]
    if unknown:
        anywhere = re.sub(r"\[\d+\]", "[]", path)
        drafting.leave_unused(f"{anywhere}.{key}" for key in unknown)
