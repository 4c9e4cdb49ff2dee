"""How an entry reads a record: one of our formats, under the names that the entry lists.

A copy of the record with our names goes to the format, and what the format says of it is given
the file's own names again. The record itself stays as the file has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding
from tuneval.data.format import Format
from tuneval.data.formats import FORMATS
from tuneval.data.record import Record, finding_at
from tuneval.data.registry.alpaca import alpaca, text
from tuneval.data.registry.chat import chat
from tuneval.data.registry.entry import Entry
from tuneval.data.registry.renamed import Renamed

_OF_KIND = {"text": "text", "preference": "preference", "unpaired_preference": "kto"}
_OF_FORMATTING = {"alpaca": "alpaca", "sharegpt": "sharegpt", "openai": "messages"}


@dataclass(frozen=True, slots=True)
class Shape:
    """A record's shape that no entry can describe: `make` gives it the columns of one.

    `keys` are those by which such a record is known.
    """

    keys: tuple[str, ...]
    make: Callable[[Mapping[str, Any]], Renamed]


def reading(entry: Entry, shape: Shape | None = None) -> Format:
    """The format that understands the records of the entry's file, under their own names."""
    base: Format = FORMATS.load(_format(entry))
    keys = _keys(entry) if shape is None else shape.keys
    return replace(base, shapes=(keys,), draft=Reading(entry, shape).draft, last_resort=False)


def _format(entry: Entry) -> str:
    return _OF_KIND.get(entry.kind, _OF_FORMATTING[entry.formatting])


def _keys(entry: Entry) -> tuple[str, ...]:
    """The keys by which a record of the entry's file is known."""
    columns = entry.columns
    if entry.formatting == "alpaca":
        needed = [columns.prompt or columns.query]
        needed += [columns.response] if columns.chosen is None else []
    else:
        needed = [columns.messages]
    if entry.kind == "preference":
        needed += [columns.chosen, columns.rejected]
    return tuple(key for key in (*needed, columns.kto_tag) if key is not None)


@dataclass(frozen=True, slots=True)
class Reading:
    """Understands records as an entry asks for."""

    entry: Entry
    shape: Shape | None = None

    def draft(self, record: Record) -> Draft:
        """What the record is. Turns and findings have the names of its file."""
        value = record.value or {}
        if self.shape is None:
            return self._draft(record, value)
        shaped = self.shape.make(value)
        found = self._draft(Record(record.source, dict(shaped.value)), shaped.value)
        return _own_words(found, shaped, record)

    def _draft(self, record: Record, value: Mapping[str, Any]) -> Draft:
        """The draft of a value that has the entry's columns."""
        if missing := [key for key in _keys(self.entry) if key not in value]:
            faults = (*record.findings, *_missing(record, missing))
            return Draft(record, self.entry.kind, findings=faults)
        if self.entry.kind == "text":
            copy = text(self.entry, value)
        elif self.entry.formatting == "alpaca":
            copy = alpaca(self.entry, value)
        else:
            copy = chat(self.entry, value)
        renamed = Record(record.source, dict(copy.value))
        return _own_words(FORMATS.load(_format(self.entry)).draft(renamed), copy, record)


def _missing(record: Record, keys: list[str]) -> Iterator[Finding]:
    mend = "add it, or correct the entry's columns: they say that it is there"
    for key in keys:
        what = f"{key} is missing."
        yield finding_at(record.source, f"shape.no_{key}", what, mend=mend, path=key)


def _own_words(draft: Draft, copy: Renamed, record: Record) -> Draft:
    """The draft under the names before, with what was found, doubted and not read before."""
    names, unknown = copy.names, {doubt.path for doubt in copy.doubts}
    turns = map(names.turn, draft.turns)
    doubts = (
        finding_at(record.source, doubt.rule, doubt.what, mend=doubt.mend, path=doubt.path)
        for doubt in copy.doubts
    )
    return replace(
        draft,
        record=record,
        turns=tuple(replace(t, role=None) if t.role_path in unknown else t for t in turns),
        findings=(*record.findings, *map(names.finding, draft.findings), *doubts),
        unused_keys=(*map(names.path, draft.unused_keys), *copy.unused),
    )
