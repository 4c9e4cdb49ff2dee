"""Stretches of bytes in one file, each with a hash that says it is there and whole.

`states.bin` has a place for every stretch, `hashes.bin` its SHA-256 or zeros, `contents.json` says
what all of it is. A hash is written after its stretch; one that reached the disk alone, in a power
failure, is found out when the stretch is first read.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tuneval import files
from tuneval.errors import StorageError

LOCK_SECONDS = 60.0
HASH_BYTES = 32

Bytes = npt.NDArray[np.uint8]


class Store:
    """Stretch i has `sizes[i]` bytes; as many of the first ones as fit into `limit_bytes` are kept.

    `contents` names what they are: a folder of anything else begins anew. At most half of the
    disk's free space is taken. Raises StorageError when the folder cannot be used.
    """

    def __init__(
        self, folder: Path, contents: dict[str, Any], sizes: Sequence[int], *, limit_bytes: int
    ) -> None:
        self._states_path, self._hashes_path = folder / "states.bin", folder / "hashes.bin"
        try:
            # Processes that train together keep what each has seen in the same files.
            with files.lock(folder.with_suffix(".lock"), timeout_seconds=LOCK_SECONDS):
                _begin(folder, contents)
                room = min(limit_bytes, _half_of_free(folder, self._states_path))
                self._ends = [0, *(end for end in accumulate(sizes) if end <= room)]
                # Empty files cannot be mapped.
                self._states = _mapped(self._states_path, max(1, self.size))
                self._hashes = _mapped(self._hashes_path, max(1, HASH_BYTES * len(self)))
        except OSError as error:
            raise files.storage_error("use", folder, error) from error
        self._sound: set[int] = set()

    def __len__(self) -> int:
        """How many stretches have a place."""
        return len(self._ends) - 1

    @property
    def size(self) -> int:
        """Bytes of all that have a place."""
        return self._ends[-1]

    @property
    def size_written(self) -> int:
        """Bytes of those that are written."""
        return sum(len(self._view(index)) for index in range(len(self)) if self.is_written(index))

    def is_written(self, index: int) -> bool:
        """Whether a stretch has a place and was written, by this run or one before."""
        return index < len(self) and bool(self._hash(index).any())

    def state(self, index: int) -> Literal["absent", "whole", "damaged"]:
        """Whether a stretch can be read. Its hash is taken once in a process."""
        if not self.is_written(index):
            return "absent"
        if index not in self._sound:
            if _sha256(self._view(index).data) != self._hash(index).tobytes():
                return "damaged"
            self._sound.add(index)
        return "whole"

    def read(self, index: int) -> Bytes:
        """A copy of a stretch that is whole."""
        return np.array(self._view(index))

    def write(self, index: int, content: Bytes) -> None:
        """Write a stretch that has a place, then its hash. Raises StorageError when it cannot."""
        try:
            _write_at(self._states_path, self._ends[index], content.data)
            _write_at(self._hashes_path, HASH_BYTES * index, _sha256(content.data))
        except OSError as error:
            raise files.storage_error("write", self._states_path, error) from error

    def _view(self, index: int) -> Bytes:
        return self._states[self._ends[index] : self._ends[index + 1]]

    def _hash(self, index: int) -> Bytes:
        return self._hashes[HASH_BYTES * index : HASH_BYTES * (index + 1)]


def remove(folder: Path) -> None:
    """Take a store's files away, if there are any."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_suffix(".lock").unlink(missing_ok=True)


def _begin(folder: Path, contents: dict[str, Any]) -> None:
    """The folder with this description, emptied if it had another one."""
    described = folder / "contents.json"
    try:
        if described.is_file() and files.read_json(described) == contents:
            return
    except StorageError:
        pass  # half of a description is none
    shutil.rmtree(folder, ignore_errors=True)
    files.write_json(described, contents)


def _half_of_free(folder: Path, states: Path) -> int:
    """What may be taken of the disk, with what a run before took of it counted as free."""
    taken = states.stat().st_blocks * 512 if states.is_file() else 0
    return (shutil.disk_usage(folder).free + taken) // 2


def _mapped(path: Path, size: int) -> Bytes:
    """The file, made at least so long, to be read from memory.

    Never written through memory: a full disk would end the process there, not raise an error.
    """
    with path.open("ab") as file:
        if file.tell() < size:
            file.truncate(size)
    return np.memmap(path, dtype=np.uint8, mode="r")


def _write_at(path: Path, start: int, content: bytes | memoryview) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(content)


def _sha256(content: memoryview) -> bytes:
    return hashlib.sha256(content).digest()
