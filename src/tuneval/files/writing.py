"""Write files and folders whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedWriter, FileIO
from pathlib import Path
from typing import Any, BinaryIO, Literal

from tuneval.files.failures import MENDS, storage_error
from tuneval.files.location import Location, is_url
from tuneval.files.remote import upload

_BUFFER_BYTES = 1 << 18


@contextmanager
def atomic_writer(path: Location) -> Iterator[BinaryIO]:
    """A stream of bytes that becomes the file `path` when the block ends well.

    Otherwise, Ctrl-C included, an older file of that name stays and nothing new is left. Missing
    folders are made. What is meant for an address is kept on the local disk until it is whole.
    """
    if is_url(path):
        with _spooled(path) as spool:
            yield spool
        return
    target = Path(path)
    temporary = _beside(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        raw = _Raw(temporary, path)
    except OSError as error:
        raise storage_error("write", path, error) from error
    file = BufferedWriter(raw, _BUFFER_BYTES)
    try:
        yield file
        file.flush()
        with _named(path):
            os.fsync(file.fileno())
            file.close()
            os.replace(temporary, target)
    except BaseException:
        with suppress(Exception):  # what is still in the buffer may fail once more
            raw.close()
            file.close()
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def write_bytes(path: Location, content: bytes) -> None:
    """Write the file whole or not at all. Missing folders are made."""
    with atomic_writer(path) as file:
        file.write(content)


def write_text(path: Location, text: str) -> None:
    """Write UTF-8 text whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


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
        if isinstance(error, OSError) and error.errno in MENDS:
            raise storage_error("write", path, error) from error
        raise


class _Raw(FileIO):
    """The temporary file. Its own failures are told of the file that it is to become."""

    def __init__(self, temporary: Path, path: Location) -> None:
        super().__init__(temporary, "wb")
        self._path = path

    def write(self, content: Any) -> int:
        with _named(self._path):
            return super().write(content)


@contextmanager
def _named(path: Location) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise storage_error("write", path, error) from error


@contextmanager
def _spooled(path: Location) -> Iterator[BinaryIO]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="tuneval-") as folder:
        spool = Path(folder, "spool")
        with BufferedWriter(_Raw(spool, path), _BUFFER_BYTES) as file:
            yield file
        upload(str(spool), path)


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
