"""Addresses: whatever fsspec can open. Its packages raise what they like; here it gets words."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from tuneval.errors import MissingPackageError, StorageError, TunevalError
from tuneval.files.failures import remote_error
from tuneval.files.location import Location, is_pattern

_BLOCK_BYTES = 4 << 20  # s3fs would hold 50 MB for each open file
_EXTRAS = {"s3": "tuneval[s3]", "s3a": "tuneval[s3]"}
_WITH_BUCKETS = frozenset({"s3", "gs"})


@contextmanager
def reaching(action: str, path: Location) -> Iterator[None]:
    """Whatever the block raises becomes a StorageError about `path`."""
    try:
        yield
    except TunevalError:
        raise
    except Exception as error:
        raise remote_error(action, path, error) from error


def open_remote(path: Location) -> BinaryIO:
    """The bytes at an address, to read; they can be sought in where the storage can."""
    with reaching("read", path):
        filesystem, place = _filesystem(path)
        file = filesystem.open(place, "rb", block_size=_BLOCK_BYTES)
    return io.BufferedReader(_Reading(file, path), 1 << 18)


def remote_exists(path: Location) -> bool:
    """Whether a file, or a prefix of files, is there."""
    with reaching("look for", path):
        filesystem, place = _filesystem(path)
        return bool(filesystem.exists(place))


def remote_is_folder(path: Location) -> bool:
    """Whether it is a folder or prefix, or a pattern of names such as `s3://bucket/*.jsonl`."""
    if is_pattern(path):
        return True
    if os.fspath(path).startswith(("http://", "https://")):
        return False  # fsspec would fetch the whole page to look for links in it
    with reaching("look at", path):
        filesystem, place = _filesystem(path)
        return bool(filesystem.isdir(place))


def remote_files_below(path: Location) -> list[str]:
    """The addresses of all files below a prefix, or of those that match a pattern, sorted."""
    with reaching("list", path):
        filesystem, place = _filesystem(path)
        if is_pattern(path):
            found = [name for name in filesystem.glob(place) if filesystem.isfile(name)]
        else:
            found = filesystem.find(place)
    return sorted(_address(path, str(name)) for name in found)


def upload(local: str, path: Location) -> None:
    """Put a local file at an address, whole or not at all."""
    with reaching("write", path):
        filesystem, place = _filesystem(path)
        filesystem.put_file(local, place)


def missing_bucket(path: Location) -> str | None:
    """The bucket's name when not even that is there; None for storages without buckets."""
    with reaching("look for", path):
        filesystem, place = _filesystem(path)
        names = filesystem.protocol
        if not _WITH_BUCKETS.intersection([names] if isinstance(names, str) else names):
            return None
        bucket = place.partition("/")[0]
        return None if filesystem.exists(bucket) else bucket


class _Reading(io.RawIOBase):
    """A remote file whose every step fails with a StorageError."""

    def __init__(self, file: Any, path: Location) -> None:
        self._file = file
        self._path = path

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def readinto(self, buffer: Any) -> int:
        with reaching("read", self._path):
            content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def seek(self, offset: int, whence: int = 0) -> int:
        with reaching("read", self._path):
            return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _filesystem(path: Location) -> tuple[Any, str]:
    """The storage behind an address, and the place in it."""
    import fsspec

    try:
        filesystem, place = fsspec.core.url_to_fs(os.fspath(path))
    except ImportError as error:
        scheme = os.fspath(path).partition("://")[0]
        if scheme in _EXTRAS:
            raise MissingPackageError(
                f"A package is needed to open {scheme}:// addresses, and is not installed.",
                where=os.fspath(path),
                mend=f"pip install '{_EXTRAS[scheme]}'",
            ) from None
        raise _not_opened(path, error) from error
    except ValueError as error:
        raise _not_opened(path, error) from error
    filesystem.invalidate_cache()  # others write there too; a remembered size cuts a file short
    return filesystem, str(place)


def _not_opened(path: Location, error: Exception) -> StorageError:
    return StorageError(
        f"Cannot open addresses like this one: {error}",
        where=os.fspath(path),
        mend="install the package it names, or use a local path",
    )


def _address(asked: Location, name: str) -> str:
    """A name that a storage gives, as an address written the way of the one asked for."""
    if "://" in name:
        return name
    scheme, mark, rest = os.fspath(asked).rpartition("://")
    return scheme + mark + (name if rest.startswith("/") else name.lstrip("/"))
