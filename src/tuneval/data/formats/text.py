"""text: `{"text": …, "group"?, "tags"?}`: plain texts, as pre-training reads them.

Many sets keep a rendered copy of the conversation under `text` beside it: the format is found
only where no other one fits.
"""

from __future__ import annotations

from typing import Any

from tuneval.data.draft import Draft, Drafting
from tuneval.data.example import Item, Text
from tuneval.data.format import Format
from tuneval.data.formats.holding import cannot_hold, kind_of_item
from tuneval.data.record import Record


def _draft(record: Record) -> Draft:
    drafting = Drafting(record, "text")
    drafting.add("text", drafting.text(drafting.value, "text", "text"), "text")
    return drafting.build(frozenset({"text"}))


def _row(item: Item) -> dict[str, Any]:
    if not isinstance(item, Text):
        raise cannot_hold("text", item, [kind_of_item(item)])
    return {"text": item.text}


TEXT = Format(
    name="text", kind="text", shapes=(("text",),), draft=_draft, row=_row, last_resort=True
)
