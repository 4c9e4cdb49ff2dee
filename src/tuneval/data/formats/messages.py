"""messages: `{"messages": [{"role", "content", "train"?}, …], "group"?, "tags"?}`.

The chat format of OpenAI and TRL. `train` says whether the loss covers a turn.
"""

from __future__ import annotations

from typing import Any

from tuneval.data.draft import Draft, Drafting
from tuneval.data.finding import clip
from tuneval.data.format import Format
from tuneval.data.record import Record, kind_of

_MESSAGE_KEYS = frozenset({"role", "content", "train"})
_EXAMPLE = '[{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]'


def _draft(record: Record) -> Draft:
    drafting = Drafting(record)
    if "messages" not in drafting.value:
        drafting.fault(
            "shape.no_messages", "'messages' is missing.", mend=f"add {_EXAMPLE}", path="messages"
        )
    else:
        _add_all(drafting, drafting.value["messages"])
    return drafting.build(frozenset({"messages"}))


def _add_all(drafting: Drafting, rows: Any) -> None:
    if not isinstance(rows, list):
        hint = " (JSON inside a text?)" if isinstance(rows, str) and "[" in rows else ""
        what = f"messages is {kind_of(rows)}{hint}, not a list."
        drafting.fault("shape.not_list", what, mend=f"write {_EXAMPLE}", path="messages")
        return
    if not rows:
        what = "messages is an empty list."
        drafting.fault("shape.no_turns", what, mend="add turns or remove it", path="messages")
    for number, row in enumerate(rows):
        _add(drafting, row, f"messages[{number}]")


def _add(drafting: Drafting, row: Any, path: str) -> None:
    if not isinstance(row, dict):
        what = f"{path} is {kind_of(row)}, not an object: {clip(row)}."
        drafting.fault("shape.not_object", what, mend='write {"role", "content"}', path=path)
        drafting.add(None, None, path)
        return
    role = drafting.text(row, "role", f"{path}.role")
    content = _content(drafting, row, f"{path}.content")
    train = row.get("train")
    if train is not None and not isinstance(train, bool):
        what = f"{path}.train is {kind_of(train)}, not true or false."
        drafting.fault("shape.train", what, mend="write true or false", path=f"{path}.train")
        train = None
    drafting.leave_unused(f"messages[].{key}" for key in row if key not in _MESSAGE_KEYS)
    drafting.add(role, content, f"{path}.content", train=train)


def _content(drafting: Drafting, row: dict[str, Any], path: str) -> str | None:
    content = row.get("content")
    if isinstance(content, list) and content:
        what = f"{path} is a list of parts; only text is read."
        drafting.fault("shape.not_text", what, mend="join the parts into one text", path=path)
        return None
    return drafting.text(row, "content", path)


MESSAGES = Format(name="messages", marks=("messages",), draft=_draft)
