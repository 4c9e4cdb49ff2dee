"""Storage: read and write, whole or not at all, on a local path or a URL.

A write goes to a temporary name in the same folder, is flushed to the disk and renamed; a
failure leaves the old file as it was and nothing half-written. URLs (`s3://…`, `memory://…`)
go through fsspec, which is imported only for them.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, Literal, TextIO, cast

from tuneval.errors import StorageError

Location = str | os.PathLike[str]


class LockedError(StorageError):
    """Another process holds the lock."""


_MENDS = {
    errno.ENOSPC: "free some space, or write to another disk",
    errno.EDQUOT: "free some of your quota, or write to another disk",
    errno.EACCES: "check who may read and write there",
    errno.EPERM: "check who may read and write there",
    errno.EROFS: "this disk is read-only; choose another folder",
    errno.ENOENT: "check the name and the folder",
    errno.EISDIR: "this is a folder; name a file in it",
    errno.ENOTDIR: "a part of this path is a file; name a folder there",
    errno.ENOTEMPTY: "something of that name is in the way; move it or choose another name",
    errno.EEXIST: "something of that name is in the way; move it or choose another name",
}


def storage_error(action: str, path: Location, error: OSError) -> StorageError:
    """The StorageError for an OSError met while trying to `action` (read, write…) `path`."""
    reason = error.strerror or str(error) or type(error).__name__
    mend = _MENDS.get(error.errno or 0, "check that the place can be reached, then try again")
    return StorageError(f"Cannot {action} {path}: {reason}.", where=os.fspath(path), mend=mend)


def is_url(path: Location) -> bool:
    """Whether `path` is an address that fsspec opens rather than a local path."""
    return "://" in os.fspath(path)


def open_bytes(path: Location) -> BinaryIO:
    """The file's bytes, to read."""
    try:
        if is_url(path):
            return cast(BinaryIO, _remote(path).open(os.fspath(path), "rb"))
        return open(path, "rb")
    except OSError as error:
        raise storage_error("read", path, error) from error


def open_text(path: Location) -> TextIO:
    """The file's text, UTF-8, to read; decoding is strict."""
    return TextIOWrapper(open_bytes(path), encoding="utf-8")


def exists(path: Location) -> bool:
    """Whether a file or folder is there."""
    if is_url(path):
        return bool(_remote(path).exists(os.fspath(path)))
    return os.path.exists(path)


def read_json(path: Location) -> Any:
    """What a JSON file holds. Raises StorageError with the line when it is not JSON."""
    with open_bytes(path) as file:
        content = file.read()
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        raise _not_json(f"{path}:{error.lineno}", error.msg) from error
    except UnicodeDecodeError as error:
        raise _not_json(os.fspath(path), str(error)) from error


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
            raise _not_json(f"{path}:{number}", str(error)) from error
        if not isinstance(row, dict):
            raise _not_json(f"{path}:{number}", f"a row must be an object, not {line[:40]!r}")
        rows.append(row)
    return rows


def write_bytes(path: Location, content: bytes) -> None:
    """Write the file whole or not at all. Missing folders are made."""
    if is_url(path):
        try:
            _remote(path).pipe_file(os.fspath(path), content)
        except OSError as error:
            raise storage_error("write", path, error) from error
        return
    target = Path(path)
    temporary = _beside(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise storage_error("write", path, error) from error
        raise


def write_text(path: Location, text: str) -> None:
    """Write UTF-8 text whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Location, content: Any) -> None:
    """Write JSON that a person can read, in the given order of keys."""
    write_bytes(path, _json_bytes(content, indent=2) + b"\n")


def write_jsonl(path: Location, rows: Iterable[dict[str, Any]]) -> None:
    """Write JSON lines whole or not at all."""
    write_bytes(path, b"".join(_json_bytes(row) + b"\n" for row in rows))


def append_jsonl(path: Location, row: dict[str, Any], *, fsync: bool = False) -> None:
    """Add one row to a local JSON-lines file, as one line or not at all.

    A last line that an earlier crash cut short is removed first. `fsync` waits until the disk
    has it, so that not even a power cut loses the row.
    """
    line = _json_bytes(row) + b"\n"
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


@contextmanager
def atomic_folder(
    path: Location, *, existing: Literal["replace", "refuse"] = "replace"
) -> Iterator[Path]:
    """A temporary folder that becomes `path` when the block ends well, and vanishes otherwise.

    `existing` says what becomes of an older folder of that name. StorageError when refused.
    """
    target = Path(path)
    temporary = _beside(target)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _flush_to_disk(file)
        if existing == "replace" and target.exists():
            _replace_folder(temporary, target)
        else:
            os.rename(temporary, target)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        # Other OSErrors of the block (a refused connection, say) are not about this folder.
        if isinstance(error, OSError) and error.errno in _MENDS:
            raise storage_error("write", path, error) from error
        raise


def sha256_file(path: Location) -> str:
    """The file's SHA-256, 64 hex digits."""
    digest = hashlib.sha256()
    with open_bytes(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sha256_json(content: Any) -> str:
    """SHA-256 of the canonical JSON of `content`: the order of keys does not matter."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


@contextmanager
def lock(path: Location, *, timeout_seconds: float) -> Iterator[None]:
    """Hold the lock file `path` against other processes. Raises LockedError after the timeout.

    The lock goes with the process that holds it, however that process ends.
    """
    from filelock import FileLock, Timeout

    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        holder = FileLock(os.fspath(path))
        holder.acquire(timeout=timeout_seconds)
    except Timeout:
        raise LockedError(
            f"Another process has held {path} for more than {timeout_seconds:g} seconds.",
            where=os.fspath(path),
            mend="wait until it is done, or end it, then try again",
        ) from None
    except OSError as error:
        raise storage_error("lock", path, error) from error
    try:
        yield
    finally:
        holder.release()


def shipped(relative: str) -> Path:
    """A file or folder that comes with tuneval, such as `recipes/quickstart.yaml`.

    In a wheel these lie in `tuneval/_shipped`, in a checkout at the top of the repository.
    """
    package = Path(__file__).resolve().parent
    for root in (package / "_shipped", package.parents[1]):
        if (root / relative).exists():
            return root / relative
    raise StorageError(
        f"tuneval should come with {relative}, and it is not there.",
        where=str(package),
        mend="install tuneval again",
    )


def _remote(path: Location) -> Any:
    import fsspec  # type: ignore[import-untyped, unused-ignore]

    try:
        filesystem, _ = fsspec.core.url_to_fs(os.fspath(path))
    except (ImportError, ValueError) as error:
        raise StorageError(
            f"Cannot open addresses like this one: {error}",
            where=os.fspath(path),
            mend="install the package it names, or use a local path",
        ) from error
    return filesystem


def _not_json(where: str, reason: str) -> StorageError:
    return StorageError(
        f"This is not valid JSON: {reason}.", where=where, mend="restore the file or remove it"
    )


def _json_bytes(content: Any, *, indent: int | None = None) -> bytes:
    try:
        return json.dumps(content, ensure_ascii=False, indent=indent).encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair: only an escape can carry it
        return json.dumps(content, ensure_ascii=True, indent=indent).encode("ascii")


def _beside(target: Path) -> Path:
    return target.parent / f".{target.name}.{secrets.token_hex(4)}.partial"


def _flush_to_disk(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace_folder(source: Path, target: Path) -> None:
    old = _beside(target)
    os.rename(target, old)
    os.rename(source, target)
    shutil.rmtree(old, ignore_errors=True)


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
