"""JSON lines: one JSON object on each line, lines parted by 0x0A alone.

All bytes come back: the `raw` of the records and the blank lines, one after the other, are the
file (less a byte order mark at its beginning).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from io import BytesIO
from typing import BinaryIO

from tuneval.data.containers.line_ends import LineEnds
from tuneval.data.containers.line_findings import (
    blank_line,
    breaks_off,
    long_line,
    mark_inside,
    pretty_printed,
)
from tuneval.data.containers.pretty_lines import pretty_printed_line, pretty_records
from tuneval.data.example import Source
from tuneval.data.finding import Finding, clip
from tuneval.data.record import Record, flaw_at, record_of
from tuneval.data.sniff import BOM, not_utf8
from tuneval.data.strict_json import (
    UNDECIDED,
    Decoded,
    Flaw,
    JsonError,
    StrictDecoder,
    quick,
    skip_whitespace,
)

BLOCK_BYTES = 1 << 20
LONG_LINE_BYTES = 10_000_000
_BLANK = b" \t\r\n"


def line_records(
    file: str, head: bytes, stream: BinaryIO, *, n_bytes_before: int
) -> Iterator[Record | Finding]:
    """One record for each line that is not blank, then what is to be said of the lines' ends.

    `head` is what was read of `stream` already, `n_bytes_before` what stands before that.
    """
    reader = LineReader(file, offset=n_bytes_before)
    blocks = blocks_of_lines(stream, head)
    if (line := pretty_printed_line(head)) is not None:
        yield pretty_printed(Source(file, line))
        yield from pretty_records(file, blocks, reader.record, offset=n_bytes_before)
        return
    yield from reader.records(blocks)
    yield from reader.ends.findings(file)


def blocks_of_lines(
    stream: BinaryIO, head: bytes = b"", n_bytes: int | None = None
) -> Iterator[bytes]:
    """What is left of a stream, or `n_bytes` of it, in blocks of whole lines, `head` first.

    Only the last one may end without a line end. A line longer than a block is a block.
    """
    torn = [head]
    left = n_bytes
    while chunk := stream.read(BLOCK_BYTES if left is None else min(BLOCK_BYTES, left)):
        if left is not None:
            left -= len(chunk)
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield b"".join((*torn, memoryview(chunk)[:cut]))  # a view: copied once, not twice
            torn = []
        torn.append(chunk[cut:])
    if last := b"".join(torn):
        yield last


class LineReader:
    """Makes records of lines, from `line` on, which begins at the byte `offset` of the file.

    Lines for which `passes` is true make no record: they are counted in `n_passed`.
    """

    def __init__(
        self,
        file: str,
        *,
        line: int = 1,
        offset: int = 0,
        passes: Callable[[bytes], bool] | None = None,
    ) -> None:
        self.ends = LineEnds()
        self.n_passed = 0
        self._file = file
        self._line = line
        self._offset = offset
        self._passes = passes
        self._decoder = StrictDecoder()

    def records(self, blocks: Iterable[bytes]) -> Iterator[Record | Finding]:
        """A record for each line that is not blank and does not pass, a finding for a blank one."""
        for block in blocks:
            self.ends.see(block, self._line)
            # A line that is too long is to be named, so none of its block passes unseen.
            passes = self._passes if len(block) <= LONG_LINE_BYTES else None
            number = self._line
            lines = BytesIO(block)
            for line in lines:
                if passes is not None and passes(line):
                    self.n_passed += 1
                elif line.strip(_BLANK):
                    source = Source(self._file, number)
                    record = self.record(source, line, self._offset + lines.tell() - len(line))
                    yield record if len(line) <= LONG_LINE_BYTES else _named_long(record)
                else:
                    yield blank_line(Source(self._file, number))
                number += 1
            self._line = number
            self._offset += len(block)
            if not block.endswith(b"\n") and block.rpartition(b"\n")[2].strip(_BLANK):
                self.ends.unended = number - 1

    def record(self, source: Source, raw: bytes, offset: int) -> Record:
        """The record of a line, or of several that hold one object."""
        value = quick(raw)
        if type(value) is dict:
            return Record(source, value, (), raw)
        if value is not UNDECIDED:
            return record_of(source, Decoded(value, len(raw), ()), raw)
        marked = raw.startswith(BOM)
        try:
            text = raw.removeprefix(BOM).decode("utf-8")
        except UnicodeDecodeError as error:
            return self._not_utf8(source, raw, offset, error)
        try:
            record = record_of(source, _whole_line(text, self._decoder), raw)
        except JsonError as error:
            flaw = error.flaw
            if error.breaks_off and not raw.endswith(b"\n"):
                self.ends.torn = True
                flaw = breaks_off(flaw, text)
            return Record(source, None, (flaw_at(source, flaw),), raw)
        if marked:
            return replace(record, findings=(*record.findings, mark_inside(source)))
        return record

    def _not_utf8(
        self, source: Source, raw: bytes, offset: int, error: UnicodeDecodeError
    ) -> Record:
        mark = BOM if raw.startswith(BOM) else b""
        at = error.start + len(mark)
        if error.reason == "unexpected end of data" and error.end + len(mark) == len(raw):
            # The last line of a file that was cut in the middle of a character.
            self.ends.torn = True
        return Record(source, None, (not_utf8(source, raw, offset + at),), raw)


def _whole_line(text: str, decoder: StrictDecoder) -> Decoded:
    """The one value of a line. Raises JsonError when there is more than that."""
    decoded = decoder.decode(text, skip_whitespace(text, 0))
    rest = skip_whitespace(text, decoded.end)
    if rest == len(text):
        return decoded
    if not text[rest:].strip(", \t\r\n"):
        what, mend = "A comma stands after the record.", "remove it: JSON lines have no commas"
        raise JsonError(Flaw("json.trailing_comma", what, mend, rest))
    what = f"After the record the line goes on at column {rest + 1}: {clip(text[rest:], 30)}."
    raise JsonError(
        Flaw("json.multiple_values", what, "put each record on a line of its own", rest)
    )


def _named_long(record: Record) -> Record:
    return replace(record, findings=(*record.findings, long_line(record.source, len(record.raw))))
