"""Rows of an Arrow table as JSON values.

A null in a row or a struct stands for a missing key and is left out: where records have different
keys, a table has all of them. Columns of the type `arrow.json` (`datasets` writes them) are read
as the JSON they hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from tuneval.data.containers.cells import value_of
from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.record import Record, finding_at, flaw_at
from tuneval.data.strict_json import UNDECIDED, JsonError, StrictDecoder, quick

Plain = Callable[[Any, "Faults"], Any]


@dataclass(slots=True)
class Faults:
    """What is wrong with the values of the row at hand."""

    source: Source
    findings: list[Finding]

    def add(self, rule: str, what: str, mend: str) -> None:
        """Note an error."""
        self.findings.append(finding_at(self.source, rule, what, mend=mend))


class PlainRows:
    """Makes records of the rows of a table with a given schema."""

    def __init__(self, file: str, schema: Any) -> None:
        self._file = file
        self._columns = [(field.name, *_column(field)) for field in schema]

    def record(self, row: dict[str, Any], number: int) -> Record:
        """The record of a row, the `number`th of the file."""
        source = Source(self._file, number, "row")
        faults = Faults(source, [])
        value: dict[str, Any] = {}
        for name, plain, may_be_json in self._columns:
            cell = row[name]
            if cell is None:
                continue
            if plain is not None:
                cell = plain(cell, faults)
            if may_be_json and isinstance(cell, str):
                cell, flaws = value_of(name, cell)
                faults.findings += (flaw_at(source, flaw) for flaw in flaws)
            value[name] = cell
        return Record(source, value, tuple(faults.findings))


def _column(field: Any) -> tuple[Plain | None, bool]:
    """How to make a column's cells plain, and whether they are texts that may hold JSON."""
    plain = _plain(field.type)
    return plain, plain is None or plain is _binary


def _plain(type_: Any) -> Plain | None:
    """What makes a value of that type plain; None when it is plain already."""
    import pyarrow.types as types

    if getattr(type_, "extension_name", "") == "arrow.json":
        return _json
    if hasattr(type_, "storage_type"):
        return _plain(type_.storage_type) or _other
    if types.is_dictionary(type_) or types.is_run_end_encoded(type_):
        return _plain(type_.value_type)
    if types.is_struct(type_):
        return _struct([(field.name, _plain(field.type)) for field in type_])
    if types.is_map(type_):
        return _map(_plain(type_.item_type))
    if types.is_nested(type_):  # lists of all kinds; a union has no value type and is rare
        return _list(_plain(type_.value_type)) if hasattr(type_, "value_type") else _other
    if types.is_floating(type_):
        return _float
    if types.is_binary(type_) or types.is_large_binary(type_) or types.is_binary_view(type_):
        return _binary
    is_plain = (types.is_null, types.is_boolean, types.is_integer, types.is_string)
    more = (types.is_large_string, types.is_string_view)
    return None if any(test(type_) for test in (*is_plain, *more)) else _other


def _struct(fields: list[tuple[str, Plain | None]]) -> Plain:
    def plain(value: dict[str, Any], faults: Faults) -> dict[str, Any]:
        made = {}
        for name, inner in fields:
            part = value[name]
            if part is not None:
                made[name] = part if inner is None else inner(part, faults)
        return made

    return plain


def _list(inner: Plain | None) -> Plain | None:
    if inner is None:
        return None

    def plain(value: list[Any], faults: Faults) -> list[Any]:
        return [None if part is None else inner(part, faults) for part in value]

    return plain


def _map(inner: Plain | None) -> Plain:
    def plain(value: list[tuple[Any, Any]], faults: Faults) -> dict[str, Any]:
        return {
            str(key): part if inner is None else inner(part, faults)
            for key, part in value
            if part is not None
        }

    return plain


def _json(value: str, faults: Faults) -> Any:
    known = quick(value.encode("utf-8"))
    if known is not UNDECIDED:
        return known
    try:
        decoded = StrictDecoder().decode(value)
    except JsonError as error:
        faults.findings.append(flaw_at(faults.source, error.flaw))
        return value
    faults.findings += (flaw_at(faults.source, flaw) for flaw in decoded.flaws)
    return decoded.value


def _float(value: float, faults: Faults) -> float | None:
    if math.isfinite(value):
        return value
    faults.add("json.nan", f"A cell holds {value}, which JSON cannot hold.", "write null")
    return None


def _binary(value: bytes, faults: Faults) -> str | None:
    try:
        return value.decode("utf-8")  # some writers do not mark their texts as such
    except UnicodeDecodeError:
        what = "A cell holds bytes that are no text, such as an image."
        faults.add("shape.binary", what, "remove the column")
        return None


def _other(value: Any, faults: Faults) -> str:
    return value.isoformat() if isinstance(value, date | datetime | time) else str(value)
