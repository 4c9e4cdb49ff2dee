"""A file of JSON lines in pieces: put together again they are the file, byte for byte."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

from tuneval.data.repairs.json_tokens import tokens
from tuneval.data.sniff import BOM

_BLANK = b" \t\r\n"
_OPENS = (b"{", b"[", b",", b":")
_MOST_LINES = 20_000
_MOST_BYTES = 1 << 24


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands from a place of the file on: a record (or its ruins), or what parts two.

    `line` counts from 1. An `object` is a record on several lines, a `mark` the byte order mark.
    """

    content: bytes
    line: int
    kind: Literal["record", "object", "blank", "mark"] = "record"


def pieces_of(stream: BinaryIO) -> Iterator[Piece]:
    """Each line as a piece, its end included; a byte order mark before it is one of its own."""
    for number, line in enumerate(stream, start=1):
        while line.startswith(BOM):
            yield Piece(BOM, number, "mark")
            line = line.removeprefix(BOM)
        if line.strip(_BLANK):
            yield Piece(line, number)
        elif line:
            yield Piece(line, number, "blank")


def with_whole_objects(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The same where an object that runs over several lines is one piece."""
    coming = iter(pieces)
    ahead: deque[Piece] = deque()
    while piece := ahead.popleft() if ahead else next(coming, None):
        n_more = _n_lines_more(piece, ahead, coming) if _begins_an_object(piece) else 0
        more = [ahead.popleft().content for _ in range(n_more)]
        yield Piece(b"".join([piece.content, *more]), piece.line, "object") if more else piece


def _begins_an_object(piece: Piece) -> bool:
    line = piece.content.strip(_BLANK)
    return piece.kind == "record" and line.startswith(b"{") and line.endswith(_OPENS)


def _n_lines_more(first: Piece, ahead: deque[Piece], coming: Iterator[Piece]) -> int:
    """How many of the lines that follow belong to the object; 0 when it is never closed.

    What is read of the lines to come is put into `ahead`.
    """
    depth = _depth(first.content)
    n_bytes = len(first.content)
    for number in range(_MOST_LINES):
        if depth is None or depth <= 0 or n_bytes > _MOST_BYTES:
            break
        if number == len(ahead):
            following = next(coming, None)
            if following is None:
                break
            ahead.append(following)
        line = ahead[number].content
        change = _depth(line)
        if change is None or (change == 0 and line.startswith(b"{")):
            break  # damaged, or a record of its own
        depth += change
        n_bytes += len(line)
        if depth == 0:
            return number + 1
    return 0


def _depth(line: bytes) -> int | None:
    """How many brackets more the line opens than it closes; None when a text is not closed."""
    found = tokens(line.decode("utf-8", "replace"))
    if not found:
        return None
    kinds = Counter(kind for kind, _, _ in found)
    return kinds["open"] - kinds["close"]
