"""A lock file between processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuneval.errors import StorageError
from tuneval.files.failures import storage_error
from tuneval.files.location import Location


class LockedError(StorageError):
    """Another process holds the lock."""


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
