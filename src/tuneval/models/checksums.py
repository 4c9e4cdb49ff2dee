"""SHA-256 of a model's files, without reading half a gigabyte each time.

A large file is read once; after that its size, change times and inode vouch for it (a stamp,
kept in tuneval's cache). Small files are always read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.errors import StorageError

ALWAYS_READ_BYTES = 16 * 2**20


def cache_root() -> Path:
    """Where tuneval keeps what it can make again: `$TUNEVAL_CACHE`, or `~/.cache/tuneval`."""
    return Path(os.environ.get("TUNEVAL_CACHE") or Path.home() / ".cache" / "tuneval")


def file_hashes(paths: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of each file by its name (without the folder)."""
    return {path.name: file_hash(path) for path in sorted(paths, key=lambda p: p.name)}


def file_hash(path: Path) -> str:
    """SHA-256 of one file; a large one is read only when its stamp has changed."""
    real = path.resolve()
    try:
        status = real.stat()
    except OSError as error:
        raise files.storage_error("read", path, error) from error
    if status.st_size <= ALWAYS_READ_BYTES:
        return files.sha256_file(real)
    stamp = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
    kept_at = cache_root() / "checksums" / f"{files.sha256_json(str(real))[:24]}.json"
    kept = _kept(kept_at)
    if kept.get("stamp") == stamp:
        return str(kept["sha256"])
    digest = files.sha256_file(real)
    with suppress(StorageError):  # a cache that cannot be written costs time, nothing else
        files.write_json(kept_at, {"file": str(real), "stamp": stamp, "sha256": digest})
    return digest


def _kept(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = files.read_json(path)
    except StorageError:
        return {}
    return content if isinstance(content, dict) and "sha256" in content else {}
