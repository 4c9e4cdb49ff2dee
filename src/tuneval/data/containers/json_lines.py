"""JSON lines: one JSON object on each line, lines parted by 0x0A alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from tuneval.data.example import Source
from tuneval.data.finding import Finding, clip
from tuneval.data.record import Record, finding_at, flaw_at, record_of
from tuneval.data.sniff import BOM, not_utf8
from tuneval.data.strict_json import Decoded, Flaw, JsonError, StrictDecoder, skip_whitespace

_BLANK = b" \t\r\n"


def line_records(
    file: str, head: bytes, stream: BinaryIO, *, n_bytes_before: int
) -> Iterator[Record | Finding]:
    """One record for each line that is not blank. `head` is what was read of `stream` already."""
    decoder = StrictDecoder()
    if (line := _pretty_printed_line(head, decoder)) is not None:
        yield _pretty_printed(Source(file, line))
        return
    offset = n_bytes_before
    for number, content in enumerate(_lines(head, stream), start=1):
        source = Source(file, number)
        if content.strip(_BLANK):
            yield _record(source, content, offset, decoder)
        else:
            yield _blank(source)
        offset += len(content)


def _lines(head: bytes, stream: BinaryIO) -> Iterator[bytes]:
    """Lines with their ends. Not str.splitlines: U+2028 and the like may stand inside a text."""
    *whole, torn = head.split(b"\n")
    for line in whole:
        yield line + b"\n"
    if last := torn + stream.readline():
        yield last
    yield from stream


def _record(source: Source, line: bytes, offset: int, decoder: StrictDecoder) -> Record:
    marked = line.startswith(BOM)
    try:
        text = line.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        at = offset + error.start + (len(BOM) if marked else 0)
        return Record(source, None, (not_utf8(source, line, at),))
    try:
        record = record_of(source, _whole_line(text, decoder))
    except JsonError as error:
        return Record(source, None, (flaw_at(source, error.flaw),))
    if marked:
        return Record(source, record.value, (*record.findings, _mark_inside(source)))
    return record


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


def _pretty_printed_line(head: bytes, decoder: StrictDecoder) -> int | None:
    """The line of the first record when it only begins there and goes on below, indented."""
    lines = [(i, line) for i, line in enumerate(head.split(b"\n"), 1) if line.strip(_BLANK)]
    if len(lines) < 2 or lines[1][1].startswith(b"{"):
        return None
    number, first = lines[0]
    if not first.rstrip(_BLANK).endswith((b"{", b"[", b",", b":")):
        return None
    try:
        decoder.decode(first.decode("utf-8", "replace").strip())
    except JsonError as error:
        return number if error.flaw.rule == "json.truncated" else None
    return None


def _pretty_printed(source: Source) -> Finding:
    return finding_at(
        source,
        "file.pretty_printed",
        "The record runs over several lines; JSON lines have one whole object on each line.",
        mend=f"rewrite it: jq -c . {source.file} > lines.jsonl; or make it one array: [ … ]",
    )


def _blank(source: Source) -> Finding:
    return finding_at(
        source,
        "file.blank_line",
        "The line is blank; other readers refuse it.",
        mend="remove it",
        severity="warning",
    )


def _mark_inside(source: Source) -> Finding:
    return finding_at(
        source,
        "encoding.bom",
        "The line begins with a byte order mark, as after joining two files.",
        mend="remove the mark (the bytes EF BB BF)",
        severity="warning",
    )
