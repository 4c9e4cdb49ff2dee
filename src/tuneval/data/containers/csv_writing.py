"""Write CSV and TSV: the columns are the keys of all records, in the order they came up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from tuneval.data.containers.cells import EMPTY_IS_MISSING, JSON_COLUMNS, value_of
from tuneval.data.containers.spool import Spool, spool
from tuneval.data.containers.writing import as_json, cannot_hold, json_text
from tuneval.data.data_files import ending_of
from tuneval.data.finding import clip
from tuneval.data.record import kind_of
from tuneval.errors import DataError

_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_ -]*[a-z0-9_]|[a-z_]")
_TO_BE_QUOTED = re.compile(r'[",;|\t\r\n]|^\s|\s$|^\ufeff')
_OTHERS = "write .jsonl or .parquet instead"


@contextmanager
def csv_writer(stream: BinaryIO, name: str) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A function that adds a row. Values that a cell would not give back as they are raise."""
    with spool(name) as kept:
        rows = _Rows(kept, name)
        yield rows.add
        rows.write(stream, b"\t" if ending_of(name) == ".tsv" else b",")


class _Rows:
    """Rows that wait for the header."""

    def __init__(self, kept: Spool, name: str) -> None:
        self._kept = kept
        self._name = name
        self._columns: dict[str, None] = {}
        self._n_rows = 0

    def add(self, record: dict[str, Any]) -> None:
        """Make cells of a record."""
        self._n_rows += 1
        cells = {}
        for column, value in record.items():
            if column not in self._columns:
                self._check_name(column)
                self._columns[column] = None
            cell = self._cell(column, value)
            if cell is not None:
                cells[column] = cell
        self._kept.add(as_json(cells, self._n_rows, self._name))

    def write(self, stream: BinaryIO, delimiter: bytes) -> None:
        """Header and rows."""
        if not self._columns:
            if self._n_rows:
                raise self._not_held("it has no key at all, and a row needs a column")
            return
        header = (name if _PLAIN_NAME.fullmatch(name) else _quoted(name) for name in self._columns)
        stream.write(delimiter.join(cell.encode() for cell in header) + b"\n")
        for number, (cells, _) in enumerate(self._kept.values(), start=1):
            row = [self._written(column, cells, number) for column in self._columns]
            stream.write((delimiter.join(row) or b'""') + b"\n")

    def _written(self, column: str, cells: dict[str, str], number: int) -> bytes:
        cell = cells.get(column)
        if cell is None:
            if column not in EMPTY_IS_MISSING:
                why = f"it has no {clip(column)}, others have; an empty cell would be a text"
                raise cannot_hold(why, number, self._name, _OTHERS)
            return b""
        return (_quoted(cell) if _TO_BE_QUOTED.search(cell) else cell).encode("utf-8")

    def _check_name(self, column: str) -> None:
        if not column or column != column.strip() or not _is_utf8(column):
            why = f"the key {clip(column)} cannot name a column"
            raise self._not_held(why)

    def _cell(self, column: str, value: Any) -> str | None:
        """The cell that reads back as the value; None where that is an empty one."""
        if column in EMPTY_IS_MISSING and (value is None or value == ""):
            return None
        if column == "group" and type(value) is int:
            return str(value)  # a group is a name, however it is written
        if not isinstance(value, str) and column not in JSON_COLUMNS:
            raise self._not_held(f"{clip(column)} is {kind_of(value)}, and cells are texts")
        try:
            cell = value if isinstance(value, str) else json_text(value)
        except (ValueError, TypeError, RecursionError) as error:
            raise self._not_held(f"JSON cannot hold it: {error}") from error
        if not _is_utf8(cell):
            raise self._not_held(f"{clip(column)} holds one half of a character")
        read_back, flaws = value_of(column, cell)
        is_same = read_back == value and type(read_back) is type(value)
        # A list of tools may be JSON inside a text everywhere, so it need not come back as one.
        if flaws or not (is_same or (column == "tools" and isinstance(value, str))):
            raise self._not_held(f"{clip(column)} would be read as {kind_of(read_back)}")
        return cell

    def _not_held(self, why: str) -> DataError:
        return cannot_hold(why, self._n_rows, self._name, _OTHERS)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
