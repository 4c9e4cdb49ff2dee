"""A shelf: texts put aside by number, compressed, in a temporary file once they are many."""

from __future__ import annotations

import marshal
import tempfile
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from tuneval.files import storage_error

Texts = tuple[str, ...]

_BLOCK_CHARACTERS = 4096
_IN_MEMORY = 64 << 20
_PAIRS_AT_ONCE = 1000


class Shelf:
    """Tuples of texts, numbered from 0 in the order of `add`.

    Takes about half their size as UTF-8: of main memory up to 64 MB, beyond that on the disk of
    temporary files. A copy by pickle holds them anew.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self._firsts = array("q")  # the number of each block's first entry
        self._offsets = array("q", [0])  # where each block begins, and where the last one ends
        self._open: list[Texts] = []
        self._open_characters = 0
        self._n_closed = 0

    def __len__(self) -> int:
        return self._n_closed + len(self._open)

    def add(self, texts: Texts) -> None:
        """Put one more entry on it."""
        self._open.append(texts)
        self._open_characters += sum(map(len, texts))
        if self._open_characters >= _BLOCK_CHARACTERS:
            self._close_block()

    def extend(self, later: Shelf) -> None:
        """Put all entries of another shelf behind these."""
        self._close_block()
        later._close_block()
        for block, first in enumerate(later._firsts):
            self._firsts.append(self._n_closed + first)
            self._append(later._block(block))
        self._n_closed += later._n_closed

    def take(self, numbers: Sequence[int]) -> Iterator[Texts]:
        """The entries of these numbers, which are in ascending order."""
        self._close_block()
        for block, of_block in groupby(numbers, lambda n: bisect_right(self._firsts, n) - 1):
            entries = marshal.loads(zlib.decompress(self._block(block)))
            yield from (entries[number - self._firsts[block]] for number in of_block)

    def take_pairs(
        self, pairs: Sequence[tuple[int, int]], show: Callable[[Texts], str]
    ) -> Iterator[tuple[str, str]]:
        """For each pair of numbers what `show` makes of the two entries."""
        for start in range(0, len(pairs), _PAIRS_AT_ONCE):
            some = pairs[start : start + _PAIRS_AT_ONCE]
            numbers = sorted({number for pair in some for number in pair})
            shown = dict(zip(numbers, map(show, self.take(numbers)), strict=True))
            yield from ((shown[a], shown[b]) for a, b in some)

    def _close_block(self) -> None:
        if self._open:
            self._append(zlib.compress(marshal.dumps(self._open), level=1))
            self._firsts.append(self._n_closed)
            self._n_closed += len(self._open)
            self._open, self._open_characters = [], 0

    def _append(self, block: bytes) -> None:
        try:
            self._file.seek(self._offsets[-1])
            self._file.write(block)
        except OSError as error:
            raise storage_error("write", tempfile.gettempdir(), error) from error
        self._offsets.append(self._offsets[-1] + len(block))

    def _block(self, block: int) -> bytes:
        self._file.seek(self._offsets[block])
        return self._file.read(self._offsets[block + 1] - self._offsets[block])

    def __del__(self) -> None:
        self._file.close()

    def __getstate__(self) -> dict[str, Any]:
        self._close_block()
        self._file.seek(0)
        content = self._file.read()
        return {"content": content, "firsts": self._firsts, "offsets": self._offsets} | {
            "n_closed": self._n_closed
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__()  # type: ignore[misc]
        self._file.write(state["content"])
        self._firsts, self._offsets = state["firsts"], state["offsets"]
        self._n_closed = state["n_closed"]
