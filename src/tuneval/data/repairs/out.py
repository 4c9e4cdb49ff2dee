"""The new file: lines go into JSON lines as they stand, other records as equal values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from tuneval import files
from tuneval.data.containers.writing import open_writer, packed, writable
from tuneval.data.repairs.found import Found

Keep = Callable[[Found], None]


def is_lines(path: files.Location) -> bool:
    """Whether the new file will be JSON lines. UsageError when its name does not say what."""
    return writable(path)[0] in (".jsonl", ".ndjson")


@contextmanager
def new_file(path: files.Location) -> Iterator[Keep]:
    """A function that adds a record to the file; it is there when the block ends well."""
    if is_lines(path):
        _, packing = writable(path)
        with files.atomic_writer(path) as target, packed(target, packing) as stream:
            yield _Lines(stream).keep
    else:
        with open_writer(path) as write:
            yield lambda found: write(found.value or {})


class _Lines:
    """Writes JSON lines. Only the last line may have no end, as in the file it comes from."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._is_open = False

    def keep(self, found: Found) -> None:
        line = line_of(found)
        if self._is_open:
            self._stream.write(b"\n")
        self._stream.write(line)
        self._is_open = not line.endswith(b"\n")


def line_of(found: Found) -> bytes:
    """The record's line: its own bytes, where they are one."""
    raw = found.raw
    if raw.lstrip(b" \t\r").startswith(b"{") and b"\n" not in raw[:-1]:
        is_line = raw.endswith(b"\n") or found.offset is not None
        return raw if is_line else raw + b"\n"
    return files.json_bytes(found.value) + b"\n"
