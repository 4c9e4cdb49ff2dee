"""messages: `{"messages": [{"role", "content", …}, …], "tools"?, "group"?, "tags"?}`.

The chat format of OpenAI and TRL, tools included. `train` at a turn says whether the loss
covers it; OpenAI's `weight` (0 or 1) at an assistant turn says the same.
"""

from __future__ import annotations

from typing import Any

from tuneval.data.draft import Draft, Drafting
from tuneval.data.example import Example, Item
from tuneval.data.format import CannotHoldError, Format
from tuneval.data.formats.turns import add_messages, message_rows
from tuneval.data.record import Record
from tuneval.data.tools import add_tools


def _draft(record: Record) -> Draft:
    drafting = Drafting(record)
    add_messages(drafting, "messages")
    add_tools(drafting)
    return drafting.build(frozenset({"messages", "tools"}))


def _row(item: Item) -> dict[str, Any]:
    if not isinstance(item, Example):
        raise CannotHoldError("messages holds conversations only.", where=str(item.source))
    row: dict[str, Any] = {"messages": message_rows(item.messages)}
    return row | {"tools": list(item.tools)} if item.tools else row


MESSAGES = Format(
    name="messages", kind="conversation", shapes=(("messages",),), draft=_draft, row=_row
)
