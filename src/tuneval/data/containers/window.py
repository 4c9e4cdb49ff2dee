"""The part of a text that is in memory: it moves forward, and knows where in the file it stands."""

from __future__ import annotations

from typing import BinaryIO

from tuneval.data.example import Source

CHUNK_BYTES = 1 << 20
_KEPT_BYTES = 256  # before `at`: an element's indentation
_FIRST_OF_A_CHARACTER = -64  # as a signed byte; the other bytes of a character are smaller


class Window:
    """`data` is the part, `at` the position in it that the reader has come to."""

    def __init__(self, file: str, head: bytes, stream: BinaryIO, *, n_bytes_before: int) -> None:
        self.data = head
        self.at = 0
        self._file = file
        self._stream = stream
        self._n_bytes_before = n_bytes_before
        self._line = 1  # of the first byte of data
        self._column = 0  # characters before the first byte of data, on its line
        self._counted = (0, 0)  # a position, and how many line ends stand before it
        self._is_one_line = b"\n" not in head

    def more(self) -> bool:
        """Read on and forget what stands well before `at`, which moves. False at the file's end."""
        n_left = len(self.data) - self.at
        chunk = self._stream.read(max(CHUNK_BYTES, n_left))
        if not chunk:
            return False
        n_passed = max(0, self.at - _KEPT_BYTES)
        passed, left = self.data[:n_passed], self.data[n_passed:]
        self._n_bytes_before += n_passed
        if last := passed.rfind(b"\n") + 1:
            self._line += passed.count(b"\n")
            self._column = 0
        self._column += _n_characters(passed[last:])
        self._counted = (0, 0)
        self._is_one_line = b"\n" not in chunk and b"\n" not in left
        self.data, self.at = left + chunk, self.at - n_passed
        return True

    def source(self, position: int) -> Source:
        """The place of a position of `data`; counting goes on from the last one asked for."""
        if self._is_one_line:
            return Source(self._file, self._line)
        counted, n_lines = self._counted if self._counted[0] <= position else (0, 0)
        n_lines += self.data.count(b"\n", counted, position)
        self._counted = (position, n_lines)
        return Source(self._file, self._line + n_lines)

    def offset(self, position: int) -> int:
        """How many bytes of the file stand before a position of `data`."""
        return self._n_bytes_before + position

    def n_characters_before(self, position: int) -> int:
        """How many characters stand before a position on its line."""
        start = self.data.rfind(b"\n", 0, position) + 1
        before = 0 if start else self._column
        return before + _n_characters(self.data[start:position])


def _n_characters(content: bytes) -> int:
    if content.isascii():
        return len(content)
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(content, np.int8) >= _FIRST_OF_A_CHARACTER))
