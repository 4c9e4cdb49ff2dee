"""CSV and its kin: rows of cells, the first row naming the columns.

Cells are parted by a comma, or by a tab, semicolon or bar where the header has more of those;
quotes as RFC 4180 has them. A quote that is out of place costs its own line only: reading goes
on with the next.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from tuneval.data.containers.cells import EMPTY_IS_MISSING, value_of
from tuneval.data.containers.line_findings import blank_line
from tuneval.data.containers.physical_lines import PhysicalLines
from tuneval.data.data_files import ending_of
from tuneval.data.example import Source
from tuneval.data.finding import Finding, clip
from tuneval.data.record import Record, finding_at, flaw_at
from tuneval.data.sniff import not_utf8

_DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_NO_LIMIT = (1 << 31) - 1


def csv_records(
    file: str, head: bytes, stream: BinaryIO, *, n_bytes_before: int
) -> Iterator[Record | Finding]:
    """A record for each row below the header; its line is that where the row begins."""
    # The limit is the module's, not a reader's. Cells of 128 KB are nothing special here.
    csv.field_size_limit(_NO_LIMIT)
    rows = _rows(file, head, stream, n_bytes_before)
    columns: tuple[str | None, ...] | None = None
    for row in rows:
        if isinstance(row, Finding):
            yield row
        elif columns is None:
            columns = _columns(row) if row.fault is None else ()
            yield from _said_of_the_header(row, columns)
        else:
            yield _record(row, columns)


@dataclass(frozen=True, slots=True)
class _Row:
    """The cells of a row, or why it has none."""

    source: Source
    cells: list[str]
    raw: bytes
    fault: Finding | None = None


def _rows(
    file: str, head: bytes, stream: BinaryIO, n_bytes_before: int
) -> Iterator[_Row | Finding]:
    lines = PhysicalLines(head, stream)
    delimiter = _delimiter(file, head)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    offset = n_bytes_before
    while True:
        source = Source(file, lines.begin_row())
        try:
            cells = next(reader, None)
        except csv.Error as error:
            lines.give_back_all_but_the_first()
            raw = lines.taken()
            yield _Row(source, [], raw, _misquoted(source, str(error)))
        else:
            if cells is None:
                return
            raw = lines.taken()
            if cells:
                yield _Row(source, cells, raw, _bad_byte(source, raw, offset))
            else:
                yield blank_line(source)
        offset += len(raw)


def _delimiter(file: str, head: bytes) -> str:
    """What parts the cells of the header, at best what the name promises."""
    line = head.lstrip(b"\r\n").splitlines()[:1]
    header = line[0].decode("utf-8", "replace") if line else ""
    promised = "\t" if ending_of(file) == ".tsv" else ","
    n_cells = {}
    for delimiter in _DELIMITERS:
        try:
            n_cells[delimiter] = len(next(csv.reader([header], delimiter=delimiter), []))
        except csv.Error:
            n_cells[delimiter] = 0
    return max(n_cells, key=lambda delimiter: (n_cells[delimiter], delimiter == promised))


def _columns(header: _Row) -> tuple[str | None, ...]:
    """The name of each column; None for one without a name."""
    names: list[str | None] = []
    for cell in header.cells:
        name = cell.strip()
        count = names.count(name) + 1 if name else 1
        names.append(None if not name else name if count == 1 else f"{name} ({count})")
    return tuple(names)


def _said_of_the_header(header: _Row, columns: tuple[str | None, ...]) -> Iterator[Finding]:
    if header.fault is not None:
        yield replace(header.fault, what=f"The header cannot be read. {header.fault.what}")
    seen: set[str] = set()
    for number, cell in enumerate(header.cells, start=1):
        name = cell.strip()
        if not name:
            what = f"Column {number} has no name; it is read as '{_unnamed(number)}'."
            mend = "give it a name, or remove it"
            yield finding_at(
                header.source, "csv.unnamed_column", what, mend=mend, severity="warning"
            )
        elif name in seen:
            what = f"Two columns are called {clip(name)}; most readers keep one of them."
            yield finding_at(header.source, "csv.duplicate_column", what, mend="rename one of them")
        seen.add(name)


def _record(row: _Row, columns: tuple[str | None, ...]) -> Record:
    if row.fault is not None:
        return Record(row.source, None, (row.fault,), row.raw)
    if len(row.cells) != len(columns):
        return Record(row.source, None, (_ragged(row, len(columns)),), row.raw)
    record: dict[str, object] = {}
    findings: list[Finding] = []
    for number, (name, cell) in enumerate(zip(columns, row.cells, strict=True), start=1):
        if cell == "" and (name is None or name in EMPTY_IS_MISSING):
            continue
        key = _unnamed(number) if name is None else name
        record[key], flaws = value_of(key, cell)
        findings += (replace(flaw_at(row.source, flaw), path=key) for flaw in flaws)
    return Record(row.source, record, tuple(findings), row.raw)


def _unnamed(number: int) -> str:
    return f"column {number}"


def _ragged(row: _Row, n_columns: int) -> Finding:
    if n_columns == 0:
        what = "The row belongs to no column, since the header cannot be read."
        return finding_at(row.source, "csv.ragged_row", what, mend="mend the header")
    n_cells = len(row.cells)
    return finding_at(
        row.source,
        "csv.ragged_row",
        f"The row has {n_cells} cell{'s' * (n_cells != 1)}, the header {n_columns}.",
        mend="put cells that hold the delimiter or a line break in quotes, or add what is missing",
    )


def _misquoted(source: Source, said: str) -> Finding:
    if "new-line" in said:
        what, mend = "A bare carriage return stands in the row.", "put the cell in quotes"
    else:
        what = "A quoted cell is not closed, or a quote inside it is not doubled."
        mend = 'close each quoted cell with ", and write a quote inside it twice: ""'
    return finding_at(source, "csv.syntax", what, mend=mend)


def _bad_byte(source: Source, raw: bytes, offset: int) -> Finding | None:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return not_utf8(source, raw, offset + error.start)
    return None
