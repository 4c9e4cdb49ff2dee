"""Tools: what an assistant may call, and its calls, as the formats write them."""

from __future__ import annotations

import json
from typing import Any

from tuneval.data.draft import Drafting
from tuneval.data.example import ToolCall, canonical_json
from tuneval.data.record import kind_of

_EXAMPLE = '{"name": "…", "arguments": {…}}'


def add_tools(drafting: Drafting, key: str = "tools") -> None:
    """The record's tools: a list of JSON schemas, or the same as JSON inside a text."""
    value = drafting.value.get(key)
    if isinstance(value, str):
        value = _parsed(drafting, value, key) if value.strip() else None
    if value is None:
        return
    if not isinstance(value, list) or not all(isinstance(tool, dict) for tool in value):
        what = f"{key} is {kind_of(value)}, not a list of objects."
        drafting.fault("tools.not_list", what, mend='write [{"name": "…", …}]', path=key)
        return
    drafting.tools = tuple(value)


def read_call(drafting: Drafting, value: Any, path: str) -> ToolCall | None:
    """One call, in OpenAI's form `{"id", "function": {"name", "arguments"}}` or without the frame.

    Arguments may be an object or, as OpenAI writes them, JSON inside a text.
    """
    body = value.get("function", value) if isinstance(value, dict) else value
    if not isinstance(body, dict) or not isinstance(body.get("name"), str):
        what = f"{path} is no call: it names no function."
        drafting.fault("tools.no_name", what, mend=f"write {_EXAMPLE}", path=path)
        return None
    arguments = body.get("arguments", {})
    if isinstance(arguments, str):
        arguments = _parsed(drafting, arguments, f"{path}.arguments")
    if not isinstance(arguments, dict):
        if arguments is not None:
            what = f"{path}.arguments is {kind_of(arguments)}, not an object."
            drafting.fault("tools.arguments", what, mend=f"write {_EXAMPLE}", path=path)
        return None
    call_id = value.get("id")
    return ToolCall(
        body["name"], canonical_json(arguments), call_id if isinstance(call_id, str) else None
    )


def _parsed(drafting: Drafting, text: str, path: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        what = f"{path} is a text that is no JSON: {error}."
        drafting.fault("tools.not_json", what, mend="write JSON", path=path)
        return None
