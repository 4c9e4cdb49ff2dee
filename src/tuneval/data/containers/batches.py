"""Batches of rows out of Arrow, made records; what is damaged is named by its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tuneval import files
from tuneval.data.containers.plain_values import PlainRows
from tuneval.data.example import Source
from tuneval.data.finding import Finding, clip
from tuneval.data.record import Record, finding_at

_ROWS_AT_ONCE = 512


class Batches:
    """The rows of one file, counted: `n_rows` have been given, or named as lost."""

    def __init__(self, path: files.Location, schema: Any) -> None:
        self.n_rows = 0
        self._file = str(path)
        self._names = list(schema.names)
        self._plain = PlainRows(self._file, schema)

    def header(self) -> Iterator[Finding]:
        """What is wrong with the columns."""
        for name in sorted({n for n in self._names if self._names.count(n) > 1}):
            yield finding_at(
                Source(self._file, 1, "row"),
                "file.duplicate_column",
                f"Several columns are called {clip(name)}; only the last is read.",
                mend="rename them",
            )

    def of(self, batch: Any) -> Iterator[Record | Finding]:
        """A record for each row of a batch."""
        try:
            validate(batch)
        except not_read() as error:
            yield self.lost(batch.num_rows, error)
            return
        for start in range(0, batch.num_rows, _ROWS_AT_ONCE):
            part = batch.slice(start, _ROWS_AT_ONCE)
            try:
                rows = part.to_pylist()
            except not_read():
                yield from self._one_by_one(part)
                continue
            for row in rows:
                self.n_rows += 1
                yield self._plain.record(row, self.n_rows)

    def lost(self, n_rows: int | None, error: Exception) -> Finding:
        """The finding for rows that cannot be read; without their number, for all that follow."""
        first = Source(self._file, self.n_rows + 1, "row")
        if n_rows is None:
            what = f"From {first.place} on the file cannot be read"
        else:
            self.n_rows += n_rows
            what = f"The rows {first.line} to {self.n_rows} cannot be read"
        return damaged(first, what, error)

    def _one_by_one(self, part: Any) -> Iterator[Record]:
        for index in range(part.num_rows):
            self.n_rows += 1
            try:
                (row,) = part.slice(index, 1).to_pylist()
            except not_read() as error:
                source = Source(self._file, self.n_rows, "row")
                yield Record(source, None, (_bad_row(source, error),))
            else:
                yield self._plain.record(row, self.n_rows)


def step(batches: Iterator[Any]) -> Any:
    """The next batch; the error when it cannot be read; None when there is none."""
    try:
        return next(batches, None)
    except not_read() as error:
        return error


def validate(batch: Any) -> None:
    """Raise one of `not_read` unless every offset of a batch lies within it.

    Arrow trusts its offsets: a wrong one would end the process. Texts that are not UTF-8 do no
    harm; they are looked at as bytes here and cost their own row later.
    """
    try:
        batch.validate(full=True)
    except not_read() as error:
        if "UTF8" not in str(error):
            raise
        for column in batch.columns:
            column.view(_as_bytes(column.type)).validate(full=True)


def _as_bytes(type_: Any) -> Any:
    """The type with bytes in place of texts, where `view` knows how to go from one to the other."""
    import pyarrow
    from pyarrow import types

    if hasattr(type_, "storage_type"):
        return _as_bytes(type_.storage_type)
    if types.is_string(type_):
        return pyarrow.binary()
    if types.is_large_string(type_):
        return pyarrow.large_binary()
    if types.is_struct(type_):
        return pyarrow.struct([(field.name, _as_bytes(field.type)) for field in type_])
    if types.is_list(type_):
        return pyarrow.list_(_as_bytes(type_.value_type))
    if types.is_large_list(type_):
        return pyarrow.large_list(_as_bytes(type_.value_type))
    return type_


def not_read() -> tuple[type[Exception], ...]:
    """What pyarrow raises for damaged files, and Python for impossible numbers and dates."""
    import pyarrow

    return (pyarrow.ArrowException, OSError, ValueError, ArithmeticError)


def damaged(source: Source, what: str, error: Exception) -> Finding:
    """The finding for a file, or a part of it, that is not as its container has it."""
    reason = clip(" ".join(str(error).split()).rstrip("."), 200)[1:-1]
    mend = "get the file again, or write it again"
    return finding_at(source, "file.damaged", f"{what}: {reason}.", mend=mend)


def _bad_row(source: Source, error: Exception) -> Finding:
    if isinstance(error, UnicodeDecodeError):
        what = f"A cell of the row is not UTF-8: the byte {error.start} of its text."
        mend = "write the table again from the original"
        return finding_at(source, "encoding.not_utf8", what, mend=mend)
    return damaged(source, "The row cannot be read", error)
