"""A record as its format understands it, for tests of formats."""

from __future__ import annotations

from typing import Any

from tuneval.data.draft import Draft
from tuneval.data.example import Example, Message, Source
from tuneval.data.format import best_formats
from tuneval.data.formats import FORMATS
from tuneval.data.record import Record

Row = dict[str, Any]
SOURCE = Source("set.jsonl", 1)


def draft(row: Row, format: str = "auto") -> Draft:
    """The draft of a record in the format that it is found to be in, or in that one."""
    if format == "auto":
        (found,) = best_formats(row)
        format = found.name
    made: Draft = FORMATS.load(format).draft(Record(SOURCE, row))
    return made


def messages(row: Row, format: str = "auto") -> tuple[Message, ...]:
    """The turns of a record that is a sound conversation."""
    made = draft(row, format)
    assert made.findings == ()
    assert isinstance(made.item, Example)
    return made.item.messages


def fault(row: Row, format: str = "auto") -> tuple[str, str, str]:
    """Rule, path and words of the only finding; there is no item then."""
    made = draft(row, format)
    (found,) = made.findings
    assert (found.severity, found.where) == ("error", "set.jsonl:1")
    assert found.mend
    assert made.item is None
    return found.rule, found.path, found.what
