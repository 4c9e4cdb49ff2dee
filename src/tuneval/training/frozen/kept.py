"""The hidden states of packed rows, kept on the disk in the precision they were computed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tuneval.errors import StorageError
from tuneval.runs.events import Finished, Report, Started, Step, Warned
from tuneval.training.frozen.store import Store

STAGE = "frozen layers"
MEGABYTE = 10**6


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where states are kept, at most how much of them, and what they were computed from."""

    folder: Path
    contents: dict[str, Any]
    limit_bytes: int
    report: Report


class KeptStates:
    """A row's states are (1, T, `width`) in `dtype`, T of row i being `lengths[i]`.

    Raises StorageError when the folder cannot be used.
    """

    def __init__(
        self, keeping: Keeping, lengths: Sequence[int], *, width: int, dtype: torch.dtype
    ) -> None:
        self._width, self._dtype, self._report = width, dtype, keeping.report
        self._store = Store(
            keeping.folder,
            keeping.contents | {"width": width, "dtype": str(dtype)},
            [length * width * dtype.itemsize for length in lengths],
            limit_bytes=keeping.limit_bytes,
        )
        self._bytes_written = 0
        self._is_growing = True
        self._begin(len(lengths))

    def get(self, row: int) -> torch.Tensor | None:
        """The states of a row, on the CPU; None when they have to be computed."""
        state = self._store.state(row)
        if state == "damaged":
            self._warn(f"what was kept of row {row} has changed on the disk; it is computed again")
        if state != "whole":
            return None
        raw = torch.from_numpy(self._store.read(row))
        return raw.view(self._dtype).view(1, -1, self._width)

    def put(self, row: int, states: torch.Tensor) -> None:
        """Keep the states of a row, if it has a place; a disk that is full ends the keeping."""
        if row >= len(self._store) or not self._is_growing:
            return
        is_new = not self._store.is_written(row)
        content = states.detach().cpu().contiguous().view(torch.uint8).flatten().numpy()
        try:
            self._store.write(row, content)
        except StorageError as error:
            self._is_growing = False
            self._warn(f"no more is kept of the frozen layers: {error.what}")
            return
        if is_new:
            self._add(len(content))

    def _begin(self, n_rows: int) -> None:
        """Say how much will be kept, before any of it is."""
        n_kept = len(self._store)
        if n_kept < n_rows:
            self._warn(
                f"what the frozen layers compute is kept of {n_kept} rows out of {n_rows}: more "
                "does not fit into method.cache_limit_gib, or into half of the disk's free space"
            )
        if n_kept:
            self._report(Started(STAGE, -(-self._store.size // MEGABYTE), "MB"))
            self._add(self._store.size_written)

    def _add(self, n_bytes: int) -> None:
        """Count what is written now, and say so once in a megabyte."""
        before = self._bytes_written // MEGABYTE
        self._bytes_written += n_bytes
        done = self._bytes_written // MEGABYTE
        if self._bytes_written == self._store.size:
            self._report(Finished(STAGE, {"MB": self._store.size / MEGABYTE}))
        elif done > before:
            self._report(Step(STAGE, done))

    def _warn(self, message: str) -> None:
        self._report(Warned("train", message))
