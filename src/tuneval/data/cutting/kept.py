"""The records of a set as they stand, with the item that each of them holds.

What sorts, draws or joins records passes them on through here: a record keeps its own format,
and a line of a JSON-lines file its own bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from tuneval import files
from tuneval.data.draft import Draft
from tuneval.data.example import Item, Kind
from tuneval.data.finding import Finding
from tuneval.data.format import Format
from tuneval.data.formats import FORMATS
from tuneval.data.origin import is_plain_path, origin
from tuneval.data.read import drafts
from tuneval.data.record import Record
from tuneval.data.rules.roles import Roles
from tuneval.data.sniff import BOM
from tuneval.data.write import as_row
from tuneval.errors import DataError, UsageError


@dataclass(frozen=True, slots=True)
class Kept:
    """An item and its record. `format` is the record's; `raw` its line, where it is one."""

    item: Item
    record: Record
    format: str
    kind: Kind
    raw: bytes | None = None

    def row(self, to: str | None = None) -> dict[str, Any]:
        """The record's value, in its own format or another. Raises CannotHoldError."""
        if to is not None and to != self.format:
            return as_row(self.item, to)
        return self.record.value or {}

    def line(self, to: str | None = None) -> bytes:
        """The same as one line of JSON, its own bytes where it has any."""
        if self.raw is not None and to in (None, self.format):
            return self.raw
        return json_line(self.row(to), self.item)

    def tagged(self, name: str, value: str) -> Kept:
        """The same with one more tag. DataError when the record has a tag of that name."""
        if name in self.item.tags:
            raise DataError(
                f"The record has a tag '{name}' already.",
                where=str(self.item.source),
                mend="choose another name for the new tag, or do without",
            )
        tags = {**self.item.tags, name: value}
        record = replace(self.record, value={**(self.record.value or {}), "tags": tags})
        return Kept(replace(self.item, tags=tags), record, self.format, self.kind)


def kept_records(
    location: files.Location, format: str = "auto", *, targets: Iterable[files.Location] = ()
) -> Iterator[Kept]:
    """Every record of the set, in order, streamed.

    Raises what `read_items` raises, and UsageError when one of the `targets`, the files that are
    to be written, belongs to the set.
    """
    targets = tuple(targets)
    local = [Path(target) for target in targets if not files.is_url(target)]
    if files.is_url(location) and str(location) in map(str, targets):
        raise _overwriting(str(location), location)
    refuse_inside(location, local)
    found = origin(location)
    if format != "auto":
        FORMATS.load(format)
    drafted = drafts(found, format)
    name = drafted.detection.format.name if drafted.detection.format else ""
    has_own_names = isinstance(found.format, Format) and format == "auto"
    roles = Roles()
    file = None
    for draft in drafted.items:
        if isinstance(draft, Finding):
            _refuse_errors([draft])
            continue
        _refuse_errors([*draft.findings, *roles.see(draft)])
        if draft.record.source.file != file:
            file = draft.record.source.file
            refuse_overwriting(file, local)
        item, record = _whole(draft), draft.record
        if has_own_names:  # only with its registry would the record mean what it means
            record = replace(record, value=as_row(item, name))
        raw = _own_line(record) if found.file else None
        yield Kept(item, record, name, draft.kind, raw)


def json_line(value: Any, item: Item) -> bytes:
    """A value as one line of JSON. DataError, with the item's place, when it has no JSON form."""
    try:
        return files.json_bytes(value, allow_nan=False) + b"\n"
    except (TypeError, ValueError) as error:
        raise DataError(
            f"The record holds a value that JSON has not: {error}.",
            where=str(item.source),
            mend="make it a text or a number, or remove it",
        ) from error


def refuse_overwriting(source: str, targets: Iterable[Path]) -> None:
    """Raise UsageError when one of the files to be written is the source itself."""
    if not is_plain_path(source) or not os.path.exists(source):
        return
    for target in targets:
        if target.exists() and os.path.samefile(source, target):
            raise _overwriting(source, target)


def refuse_inside(location: files.Location, targets: Iterable[Path]) -> None:
    """Raise UsageError when a file to be written is the set itself or would belong to it.

    A file written into a folder that is being read would be read with it the next time.
    """
    refuse_overwriting(str(location), targets)
    folder = Path(location)
    if not is_plain_path(location) or not folder.is_dir():
        return
    for target in targets:
        if folder.resolve() in target.resolve().parents:
            raise UsageError(
                f"{target} would lie in {location}, the folder that is read, and be read with it.",
                where=str(target),
                mend="name a place outside of it with --out",
            )


def _overwriting(source: str, target: files.Location) -> UsageError:
    return UsageError(
        f"This would overwrite {source} itself.",
        where=str(target),
        mend="name another file or folder with --out",
    )


def _refuse_errors(findings: Iterable[Finding]) -> None:
    for finding in findings:
        if finding.severity == "error":
            raise finding.as_error()


def _whole(draft: Draft) -> Item:
    if draft.item is None:
        raise DataError(
            "The record holds no item.",
            where=str(draft.record.source),
            mend="`tuneval data check` says what is wrong with it",
        )
    return draft.item


def _own_line(record: Record) -> bytes | None:
    """The record's bytes when they are one line that says the same; a row of a table is none."""
    line = record.raw.removeprefix(BOM).strip(b" \t\r\n")
    if not line.startswith(b"{") or b"\n" in line:
        return None
    try:
        return line + b"\n" if orjson.loads(line) == record.value else None
    except orjson.JSONDecodeError:
        return None
