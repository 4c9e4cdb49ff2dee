"""JSON and JSON lines that tuneval itself writes and reads."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tuneval.files.failures import not_json, storage_error
from tuneval.files.location import Location
from tuneval.files.reading import open_bytes
from tuneval.files.writing import atomic_writer, write_bytes


def read_json(path: Location) -> Any:
    """What a JSON file holds. Raises StorageError with the line when it is not JSON."""
    with open_bytes(path) as file:
        try:
            content = file.read()
        except OSError as error:
            raise storage_error("read", path, error) from error
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        raise not_json(f"{path}:{error.lineno}", error.msg) from error
    except UnicodeDecodeError as error:
        raise not_json(os.fspath(path), str(error)) from error


def read_jsonl(path: Location, *, tolerate_torn_tail: bool = False) -> list[dict[str, Any]]:
    """The rows of a JSON-lines file; blank lines are passed over.

    `tolerate_torn_tail` leaves out a last line that a crash cut short, and only that one.
    """
    with open_bytes(path) as file:
        lines = file.read().split(b"\n")
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:  # bad JSON or bad UTF-8
            if tolerate_torn_tail and number == len(lines):
                break
            raise not_json(f"{path}:{number}", str(error)) from error
        if not isinstance(row, dict):
            raise not_json(f"{path}:{number}", f"a row must be an object, not {line[:40]!r}")
        rows.append(row)
    return rows


def write_json(path: Location, content: Any) -> None:
    """Write JSON that a person can read, in the given order of keys."""
    write_bytes(path, json_bytes(content, indent=2) + b"\n")


def write_jsonl(path: Location, rows: Iterable[dict[str, Any]]) -> None:
    """Write JSON lines, streamed, whole or not at all."""
    with atomic_writer(path) as file:
        for row in rows:
            file.write(json_bytes(row) + b"\n")


def append_jsonl(path: Location, row: dict[str, Any], *, fsync: bool = False) -> None:
    """Add one row to a local JSON-lines file, as one line or not at all.

    A last line that an earlier crash cut short is removed first. `fsync` waits until the disk
    has it, so that not even a power cut loses the row.
    """
    line = json_bytes(row) + b"\n"
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a+b", buffering=0) as file:
            size = _mend_tail(file)
            try:
                written = file.write(line)
                if written != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if fsync:
                    os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise
    except OSError as error:
        raise storage_error("append to", path, error) from error


def sha256_json(content: Any) -> str:
    """SHA-256 of the canonical JSON of `content`: the order of keys does not matter."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def json_bytes(
    content: Any,
    *,
    indent: int | None = None,
    allow_nan: bool = True,
    default: Callable[[Any], Any] | None = None,
) -> bytes:
    """JSON in UTF-8; half of a surrogate pair becomes an escape, since only that can carry it.

    `allow_nan` and `default` are those of `json.dumps`.
    """

    def text(*, ensure_ascii: bool) -> str:
        return json.dumps(
            content,
            ensure_ascii=ensure_ascii,
            indent=indent,
            allow_nan=allow_nan,
            default=default,
        )

    try:
        return text(ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return text(ensure_ascii=True).encode("ascii")


def _mend_tail(file: Any) -> int:
    """Leave the file ending in a whole line; its size then. Only the last line can be torn."""
    size: int = file.seek(0, os.SEEK_END)
    if size == 0:
        return 0
    file.seek(size - 1)
    if file.read(1) == b"\n":
        return size
    tail = b""
    start = size
    while start > 0 and b"\n" not in tail:
        start = max(0, start - 65536)
        file.seek(start)
        tail = file.read(size - start)
    last = tail.rpartition(b"\n")[2]
    try:
        json.loads(last)
    except ValueError:
        size -= len(last)
        file.truncate(size)
        return size
    file.write(b"\n")
    return size + 1
