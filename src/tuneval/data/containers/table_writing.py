"""Write Parquet and Arrow: the type of each column is known when all records are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO

from tuneval import extras
from tuneval.data.containers.shapes import FREE_KEYS, MixedError, Shape
from tuneval.data.containers.spool import Spool, spool
from tuneval.data.containers.writing import as_json, cannot_hold, json_text
from tuneval.errors import DataError

_GROUP_BYTES = 8 << 20
_MEND = "write .jsonl instead, or mend the records"
Write = Callable[[dict[str, Any]], None]


@contextmanager
def parquet_writer(stream: BinaryIO, name: str) -> Iterator[Write]:
    """A function that adds a row."""
    parquet = extras.require("pyarrow.parquet", extra="data", why="to write Parquet files")
    with _rows(name, partial(parquet.ParquetWriter, stream)) as add:
        yield add


@contextmanager
def arrow_writer(stream: BinaryIO, name: str) -> Iterator[Write]:
    """A function that adds a row to an Arrow file."""
    ipc = extras.require("pyarrow.ipc", extra="data", why="to write Arrow files")
    with _rows(name, partial(ipc.new_file, stream)) as add:
        yield add


@contextmanager
def _rows(name: str, begin: Callable[[Any], Any]) -> Iterator[Write]:
    """A function that adds a row; `begin` gives the writer once the schema is known."""
    with spool(name) as kept:
        rows = _Rows(kept, name)
        yield rows.add
        schema = rows.schema()
        with begin(schema) as writer:
            for batch in rows.batches(schema):
                writer.write_batch(batch)


class _Rows:
    """Rows that wait until their columns have types."""

    def __init__(self, kept: Spool, name: str) -> None:
        self._kept = kept
        self._name = name
        self._shape = Shape("")
        self._n_rows = 0

    def add(self, record: dict[str, Any]) -> None:
        """Learn from a record and keep it."""
        self._n_rows += 1
        try:
            self._shape.learn(record, self._n_rows)
        except MixedError as error:
            raise cannot_hold(str(error), self._n_rows, self._name, _MEND) from None
        self._kept.add(as_json(record, self._n_rows, self._name))

    def schema(self) -> Any:
        """The columns and their types."""
        import pyarrow

        if self._n_rows and not self._shape.fields:
            why = "it has no key at all, and a row needs a column"
            raise cannot_hold(why, self._n_rows, self._name, _MEND)
        try:
            return pyarrow.schema([self._shape.arrow_field(key) for key in self._shape.fields])
        except MixedError as error:
            what = f"The records cannot be written: {error}."
            raise DataError(what, where=self._name, mend=_MEND) from None

    def batches(self, schema: Any) -> Iterator[Any]:
        """The rows, a few MB at a time."""
        import pyarrow

        held: list[dict[str, Any]] = []
        n_bytes = 0
        is_free = self._shape.has_free_keys()
        for record, size in self._kept.values():
            held.append(_with_json(record) if is_free else record)
            n_bytes += size
            if n_bytes >= _GROUP_BYTES:
                yield pyarrow.RecordBatch.from_pylist(held, schema=schema)
                held, n_bytes = [], 0
        if held:
            yield pyarrow.RecordBatch.from_pylist(held, schema=schema)


def _with_json(value: Any) -> Any:
    """The value with JSON in the places that are free in shape."""
    if isinstance(value, Mapping):
        return {
            key: (None if part is None else json_text(part))
            if key in FREE_KEYS
            else _with_json(part)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_with_json(part) for part in value]
    return value
