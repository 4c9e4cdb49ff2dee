"""Write records into a container of any kind, streamed, whole or not at all.

The target's name chooses: `.jsonl`, `.json` (an array), `.csv`, `.tsv`, `.parquet`, `.arrow`; the
texts also packed, `.jsonl.gz`, `.json.zst`, `.csv.bz2`. What is written reads back as it was; a
container that cannot hold a value refuses it, and no file appears.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from typing import Any, BinaryIO, cast

from tuneval import extras, files
from tuneval.data.data_files import ending_of, packing_of_name
from tuneval.errors import DataError, UsageError

Write = Callable[[dict[str, Any]], None]

# Each opens, on a stream of bytes and the target's name, a function that takes the next record.
WRITERS: dict[str, str] = {
    ".jsonl": "writing:line_writer",
    ".ndjson": "writing:line_writer",
    ".json": "writing:array_writer",
    ".csv": "csv_writing:csv_writer",
    ".tsv": "csv_writing:csv_writer",
    ".parquet": "table_writing:parquet_writer",
    ".arrow": "table_writing:arrow_writer",
    ".feather": "table_writing:arrow_writer",
}
_TABLES = frozenset({".parquet", ".arrow", ".feather"})
_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_ENCODE_ASCII = json.JSONEncoder(allow_nan=False).encode


@contextmanager
def open_writer(path: files.Location) -> Iterator[Write]:
    """A function that adds a record; the file appears when the block ends well.

    UsageError when the name tells no container; DataError when the container cannot hold a
    record; StorageError when it cannot be written.
    """
    ending, packing = writable(path)
    with (
        files.atomic_writer(path) as target,
        packed(target, packing) as stream,
        _writer(ending)(stream, str(path)) as write,
    ):
        yield write


def writable(path: files.Location) -> tuple[str, str | None]:
    """The ending that tells the container to be written, and the packing, from the name alone.

    UsageError when it tells none, so that a command can refuse before it begins.
    """
    ending, packing = ending_of(str(path)), packing_of_name(str(path))
    if ending not in WRITERS or (packing and ending in _TABLES):
        endings = ", ".join(WRITERS)
        raise UsageError(
            f"{path} does not say what to write.",
            where=str(path),
            mend=f"end it in one of {endings}; those of texts may be followed by .gz or .zst",
        )
    return ending, packing


@contextmanager
def line_writer(stream: BinaryIO, name: str) -> Iterator[Write]:
    """JSON lines."""
    n_records = 0

    def write(record: dict[str, Any]) -> None:
        nonlocal n_records
        n_records += 1
        stream.write(as_json(record, n_records, name) + b"\n")

    yield write


@contextmanager
def array_writer(stream: BinaryIO, name: str) -> Iterator[Write]:
    """A JSON array with an element on each line."""
    n_records = 0

    def write(record: dict[str, Any]) -> None:
        nonlocal n_records
        n_records += 1
        stream.write((b"[\n" if n_records == 1 else b",\n") + as_json(record, n_records, name))

    yield write
    stream.write(b"\n]\n" if n_records else b"[]\n")


def json_text(value: Any) -> str:
    """A value as JSON on one line; ValueError for NaN and the like."""
    return _ENCODE(value)


def as_json(record: dict[str, Any], number: int, name: str) -> bytes:
    """A record on one line. Half of a surrogate pair becomes an escape: only that can carry it."""
    try:
        try:
            return _ENCODE(record).encode("utf-8")
        except UnicodeEncodeError:
            return _ENCODE_ASCII(record).encode("ascii")
    except (ValueError, TypeError, RecursionError) as error:
        raise cannot_hold(f"JSON cannot hold it: {error}", number, name, "mend it") from error


def cannot_hold(why: str, number: int, name: str, mend: str) -> DataError:
    """The DataError for a record that a container has no place for."""
    return DataError(f"Record {number} cannot be written: {why}.", where=name, mend=mend)


def _writer(ending: str) -> Callable[[BinaryIO, str], AbstractContextManager[Write]]:
    module, _, function = WRITERS[ending].partition(":")
    writer: Callable[[BinaryIO, str], AbstractContextManager[Write]] = getattr(
        import_module(f"tuneval.data.containers.{module}"), function
    )
    return writer


@contextmanager
def packed(target: BinaryIO, packing: str | None) -> Iterator[BinaryIO]:
    """The stream that packs what is written to it; the same records give the same bytes."""
    match packing:
        case None:
            yield target
        case "gzip":
            with gzip.GzipFile("", "wb", fileobj=target, mtime=0) as stream:
                yield cast(BinaryIO, stream)
        case "bzip2":
            with bz2.BZ2File(target, "wb") as stream:
                yield cast(BinaryIO, stream)
        case "xz":
            with lzma.LZMAFile(target, "wb") as stream:
                yield cast(BinaryIO, stream)
        case _:
            package = extras.require("zstandard", extra="data", why="to write Zstandard files")
            packer = package.ZstdCompressor(write_checksum=True)
            with packer.stream_writer(target, closefd=False) as stream:
                yield stream
