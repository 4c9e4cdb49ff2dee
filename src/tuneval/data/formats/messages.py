"""messages: `{"messages": [{"role", "content", …}, …], "tools"?, "group"?, "tags"?}`.

The chat format of OpenAI and TRL, tools included. `train` at a turn says whether the loss
covers it; OpenAI's `weight` (0 or 1) at an assistant turn says the same. OpenAI's older
`functions` are tools.
"""

from __future__ import annotations

from typing import Any

from tuneval.data.draft import Draft, Drafting
from tuneval.data.example import Example, Item
from tuneval.data.format import Format
from tuneval.data.formats.holding import cannot_hold, kind_of_item, refuse_if_any
from tuneval.data.formats.turns import add_messages, message_rows
from tuneval.data.record import Record
from tuneval.data.tools import add_tools


def _draft(record: Record) -> Draft:
    drafting = Drafting(record)
    add_messages(drafting, "messages")
    _add_tools(drafting)
    return drafting.build(frozenset({"messages", "tools", "functions"}))


def _add_tools(drafting: Drafting) -> None:
    if drafting.value.get("functions") is None:
        add_tools(drafting)
    elif drafting.value.get("tools") is None:
        add_tools(drafting, "functions")
    else:
        what = "The record has both 'tools' and 'functions'."
        drafting.fault("tools.twice", what, mend="keep one of them", path="functions")


def _row(item: Item) -> dict[str, Any]:
    if not isinstance(item, Example):
        raise cannot_hold("messages", item, [kind_of_item(item)])
    refuse_if_any("messages", item, [] if item.messages else ["a conversation without turns"])
    row: dict[str, Any] = {"messages": message_rows(item.messages)}
    return row | {"tools": list(item.tools)} if item.tools else row


MESSAGES = Format(
    name="messages", kind="conversation", shapes=(("messages",),), draft=_draft, row=_row
)
