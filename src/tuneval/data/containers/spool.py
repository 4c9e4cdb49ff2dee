"""Records on the way to a container that must know all of them before it can begin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from tuneval import files


class Spool:
    """JSON values on the disk, to be gone through once all of them are there."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def add(self, line: bytes) -> None:
        """Keep a value, given as JSON on one line."""
        self._file.write(line + b"\n")

    def values(self) -> Iterator[tuple[Any, int]]:
        """Every value, and how many bytes of JSON it is."""
        self._file.seek(0)
        for line in self._file:
            yield json.loads(line), len(line)


@contextmanager
def spool(target: files.Location) -> Iterator[Spool]:
    """An empty spool, gone after the block. StorageError when the disk is full."""
    try:
        with TemporaryFile(prefix="tuneval-") as file:
            yield Spool(file)
    except OSError as error:
        raise files.storage_error("write", target, error) from error
