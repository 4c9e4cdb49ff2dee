"""Open, look for and list files, local or at an address."""

from __future__ import annotations

import hashlib
import os
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

from tuneval.files import remote
from tuneval.files.failures import storage_error
from tuneval.files.location import Location, is_url


def open_bytes(path: Location) -> BinaryIO:
    """The file's bytes, to read."""
    if is_url(path):
        return remote.open_remote(path)
    try:
        return open(path, "rb")
    except OSError as error:
        raise storage_error("read", path, error) from error


def open_text(path: Location) -> TextIO:
    """The file's text, UTF-8, to read; decoding is strict."""
    return TextIOWrapper(open_bytes(path), encoding="utf-8")


def exists(path: Location) -> bool:
    """Whether a file or folder is there."""
    return remote.remote_exists(path) if is_url(path) else os.path.exists(path)


def is_folder(path: Location) -> bool:
    """Whether it is a folder; of an address also whether it is a prefix or a pattern of names."""
    return remote.remote_is_folder(path) if is_url(path) else os.path.isdir(path)


def files_below(path: Location) -> list[str]:
    """Every file below a folder, however deep, or that a pattern of an address fits; sorted.

    Links to folders are followed, each folder once.
    """
    if is_url(path):
        return remote.remote_files_below(path)
    found: list[str] = []
    seen: set[str] = set()
    for folder, inner, names in os.walk(path, followlinks=True, onerror=_unreadable):
        seen.add(os.path.realpath(folder))
        inner[:] = [n for n in inner if os.path.realpath(os.path.join(folder, n)) not in seen]
        found += (os.path.join(folder, name) for name in names)
    return sorted(found, key=lambda name: Path(name).parts)


def sha256_file(path: Location) -> str:
    """The file's SHA-256, 64 hex digits."""
    digest = hashlib.sha256()
    with open_bytes(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _unreadable(error: OSError) -> None:
    raise storage_error("list", error.filename, error) from error
