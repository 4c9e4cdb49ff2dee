"""Parquet, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from tuneval import extras, files
from tuneval.data.containers.batches import Batches, damaged, not_read, step
from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.record import Record

_BATCH_BYTES = 4 << 20
_MAX_ROWS = 512
_BUFFER_BYTES = 1 << 20


def parquet_records(path: files.Location, stream: BinaryIO) -> Iterator[Record | Finding]:
    """A record for each row. Where a group of rows is damaged, the next one is read."""
    parquet = extras.require("pyarrow.parquet", extra="data", why="to read Parquet files")
    stream.seek(0)
    try:
        table = parquet.ParquetFile(
            stream, buffer_size=_BUFFER_BYTES, page_checksum_verification=True
        )
        rows = Batches(path, table.schema_arrow)
    except not_read() as error:
        yield damaged(Source(str(path), 1, "row"), "The Parquet file is damaged, or none", error)
        return
    yield from rows.header()
    for number in range(table.num_row_groups):
        group = table.metadata.row_group(number)
        end = rows.n_rows + group.num_rows
        batches = table.iter_batches(_n_rows(group), row_groups=[number], use_threads=False)
        while (batch := step(batches)) is not None:
            if isinstance(batch, Exception):
                yield rows.lost(end - rows.n_rows, batch)
                break
            yield from rows.of(batch)


def _n_rows(group: Any) -> int:
    """How many rows of the group to hold at once."""
    bytes_each = group.total_byte_size / max(1, group.num_rows)
    return max(1, min(_MAX_ROWS, int(_BATCH_BYTES / max(1.0, bytes_each))))
