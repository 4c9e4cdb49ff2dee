"""Lines for a reader that takes several of them for one row, and may have taken too many."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

BLOCK_BYTES = 1 << 20
MAX_ROW_BYTES = 64 << 20


class PhysicalLines:
    """An iterator over a file's lines as text, in which bad bytes stand as surrogates.

    It ends where the row at hand gets too long, since then a quote was never closed.
    """

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._lines = _lines(head, stream)
        self._given_back: deque[bytes] = deque()
        self._taken: list[bytes] = []
        self._n_bytes = 0
        self._number = 1

    def __iter__(self) -> PhysicalLines:
        return self

    def __next__(self) -> str:
        if self._n_bytes > MAX_ROW_BYTES:
            raise StopIteration
        line = self._given_back.popleft() if self._given_back else next(self._lines)
        self._taken.append(line)
        self._n_bytes += len(line)
        return line.decode("utf-8", "surrogateescape")

    def begin_row(self) -> int:
        """The line's number where the next row begins; those before are settled."""
        self._number += len(self._taken)
        self._taken.clear()
        self._n_bytes = 0
        return self._number

    def taken(self) -> bytes:
        """The row's lines."""
        return b"".join(self._taken)

    def give_back_all_but_the_first(self) -> None:
        """The row ends with its first line after all."""
        self._given_back.extendleft(reversed(self._taken[1:]))
        del self._taken[1:]


def _lines(head: bytes, stream: BinaryIO) -> Iterator[bytes]:
    """Lines with their ends: a line feed, or a carriage return where there are only those."""
    end = b"\r" if b"\r" in head and b"\n" not in head else b"\n"
    torn: list[bytes] = []
    block = head
    while block:
        *whole, rest = block.split(end)
        for line in whole:
            yield b"".join((*torn, line, end))
            torn = []
        torn.append(rest)
        block = stream.read(BLOCK_BYTES)
    if last := b"".join(torn):
        yield last
