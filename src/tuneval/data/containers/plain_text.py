"""A plain text file: every line is a text to learn, as LLaMA-Factory has it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from tuneval.data.containers.json_lines import blocks_of_lines
from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.record import Record, finding_at
from tuneval.data.sniff import not_utf8


def text_records(
    file: str, head: bytes, stream: BinaryIO, *, n_bytes_before: int
) -> Iterator[Record | Finding]:
    """A record `{"text": …}` for each line that is not blank, then how many are."""
    offset, number, n_blank, first_blank = n_bytes_before, 0, 0, 0
    for block in blocks_of_lines(stream, head):
        for raw in BytesIO(block):
            number += 1
            if raw.isspace():
                n_blank += 1
                first_blank = first_blank or number
            else:
                yield _record(Source(file, number), raw, offset)
            offset += len(raw)
    if n_blank:
        yield finding_at(
            Source(file, first_blank),
            "file.blank_line",
            f"{n_blank} blank line{'s are' if n_blank > 1 else ' is'} no text to learn, and passed "
            "over; this is the first.",
            mend="remove them, or leave them",
            severity="info",
        )


def _record(source: Source, raw: bytes, offset: int) -> Record:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return Record(source, None, (not_utf8(source, raw, offset + error.start),), raw)
    return Record(source, {"text": text.removesuffix("\n").removesuffix("\r")}, raw=raw)
