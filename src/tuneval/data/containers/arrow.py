"""Arrow's own files (Feather too) and streams, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from tuneval import extras, files
from tuneval.data.containers.batches import Batches, damaged, not_read, step
from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.record import Record

_FILE_START = b"ARROW1"
_STREAM_IN_FILE = 8  # a file is a stream with this many bytes before it and an index behind


def arrow_records(path: files.Location, stream: BinaryIO) -> Iterator[Record | Finding]:
    """A record for each row. A file that lost its end is read as far as it goes."""
    extras.require("pyarrow.ipc", extra="data", why="to read Arrow files")
    stream.seek(0)
    is_file = stream.read(len(_FILE_START)) == _FILE_START
    yield from _of_file(path, stream) if is_file else _of_stream(path, stream, 0)


def _of_file(path: files.Location, stream: BinaryIO) -> Iterator[Record | Finding]:
    import pyarrow.ipc

    try:
        table = pyarrow.ipc.open_file(_source(path, stream, 0))
        rows = Batches(path, table.schema)
    except not_read() as error:
        what = "The Arrow file is damaged; what can be read of it is read"
        yield damaged(Source(str(path), 1, "row"), what, error)
        yield from _of_stream(path, stream, _STREAM_IN_FILE)
        return
    batches = (table.get_batch(number) for number in range(table.num_record_batches))
    yield from _all(rows, batches)


def _of_stream(path: files.Location, stream: BinaryIO, start: int) -> Iterator[Record | Finding]:
    import pyarrow.ipc

    try:
        table = pyarrow.ipc.open_stream(_source(path, stream, start))
        rows = Batches(path, table.schema)
    except not_read() as error:
        yield damaged(Source(str(path), 1, "row"), "The Arrow stream is damaged, or none", error)
        return
    yield from _all(rows, iter(table))


def _all(rows: Batches, batches: Iterator[Any]) -> Iterator[Record | Finding]:
    yield from rows.header()
    while (batch := step(batches)) is not None:
        if isinstance(batch, Exception):
            yield rows.lost(None, batch)
            return
        yield from rows.of(batch)


def _source(path: files.Location, stream: BinaryIO, start: int) -> Any:
    """What pyarrow reads from: a local file is mapped, so that a large batch is not held."""
    import pyarrow

    source = stream if files.is_url(path) else pyarrow.memory_map(str(path))
    source.seek(start)
    return source
