"""Where items were read, by number: 8 bytes an item."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import Literal

from tuneval.data.example import Source


class Places:
    """Sources, numbered from 0 in the order of `add`. Few files, and each for a stretch."""

    def __init__(self) -> None:
        self._lines = array("q")
        self._firsts = array("q")  # the number with which each stretch begins
        self._stretches: list[tuple[str, Literal["line", "row"]]] = []

    def __getitem__(self, number: int) -> Source:
        file, unit = self._stretches[bisect_right(self._firsts, number) - 1]
        return Source(file, self._lines[number], unit)

    def add(self, source: Source) -> None:
        """The next one."""
        stretch = (source.file, source.unit)
        if not self._stretches or self._stretches[-1] != stretch:
            self._stretches.append(stretch)
            self._firsts.append(len(self._lines))
        self._lines.append(source.line)

    def merge(self, later: Places) -> None:
        """Put all places of another one behind these."""
        self._firsts.extend(len(self._lines) + first for first in later._firsts)
        self._stretches += later._stretches
        self._lines += later._lines

    def named(self, number: int, *, beside: int) -> str:
        """`line 12`, with the file's name if the place `beside` is in another one."""
        source = self[number]
        return source.place if source.file == self[beside].file else str(source)
