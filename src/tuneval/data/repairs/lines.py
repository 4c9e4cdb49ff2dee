"""A file of JSON lines, line by line: as it stands, or with its text repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO

from tuneval.data.containers.json_lines import LineReader
from tuneval.data.containers.line_findings import blank_line
from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.record import Record, finding_at
from tuneval.data.repairs.encodings import restored
from tuneval.data.repairs.found import Between, Done, Found, How, between, found_of
from tuneval.data.repairs.pieces import Piece, pieces_of, with_whole_objects
from tuneval.data.repairs.texts import mended_texts


class Lines:
    """The lines of a file. `codec` is its encoding, when that is to be repaired.

    A line for which `is_sound` is true is not looked at any further.
    """

    def __init__(
        self, file: str, how: How, codec: str | None, is_sound: Callable[[bytes], bool]
    ) -> None:
        self._file = file
        self._how = how
        self._codec = codec
        self._is_sound = is_sound
        self._reader = LineReader(file)
        self._offset = 0

    def records(self, stream: BinaryIO) -> Iterator[Found | Between]:
        """The records, and what stands between them: together they are all bytes of the file.

        `stream` gives UTF-8, of whatever encoding the file is.
        """
        pieces = pieces_of(stream)
        for piece in pieces if self._how == "drop" else with_whole_objects(pieces):
            if piece.kind in ("blank", "mark"):
                yield self._between(piece)
            elif self._stays(piece):
                yield self._sound(piece)
            elif self._how == "drop":
                yield self._found(self._read(piece.line, piece.content), piece.content)
            else:
                for mended in mended_texts(piece.content, partial(self._read, piece.line)):
                    yield self._found(mended.record, mended.content, mended.done)

    def _stays(self, piece: Piece) -> bool:
        line = piece.content
        if piece.kind == "object" or self._codec is not None:
            return False
        if self._how == "repair" and line.endswith(b"\r\n"):
            return False
        return self._is_sound(line)

    def _sound(self, piece: Piece) -> Found:
        source, line, offset = Source(self._file, piece.line), piece.content, self._offset
        self._offset += len(line)
        return Found(source, None, (), line, line, offset, is_sound=True)

    def _read(self, line: int, content: bytes) -> Record:
        return self._reader.record(Source(self._file, line), content, self._offset)

    def _found(self, record: Record, content: bytes, done: tuple[Done, ...] = ()) -> Found:
        original = self._original(content)
        if original != content:
            done = (to_utf8(self._codec or ""), *done)
        found = found_of(record, original, self._offset, *done)
        self._offset += len(original)
        return found

    def _between(self, piece: Piece) -> Between:
        original = self._original(piece.content)
        source = Source(self._file, piece.line)
        said = blank_line(source) if piece.kind == "blank" else _mark(source)
        found = between(said, piece.line, original, self._offset)
        self._offset += len(original)
        return found

    def _original(self, content: bytes) -> bytes:
        return restored(content, self._codec) if self._codec else content


def to_utf8(codec: str) -> Done:
    """That the record was written in another encoding."""
    rule = "encoding.not_utf8" if codec == "gb18030" else "encoding.utf16"
    return Done("to_utf8", rule, f"The file is {codec.upper()}, not UTF-8.")


def _mark(source: Source) -> Finding:
    return finding_at(
        source,
        "encoding.bom",
        "The file begins with a byte order mark.",
        mend="save it as UTF-8 without one",
        severity="warning",
    )
