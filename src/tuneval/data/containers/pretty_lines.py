"""Objects that run over several lines, one after the other: pretty-printed JSON without an array.

No JSON lines, but not lost either: an object ends where a brace closes it at the indentation it
began with. A text cannot be in the way: its line breaks are escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO

from tuneval.data.containers.line_findings import blank_line
from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.record import Record
from tuneval.data.strict_json import UNDECIDED, JsonError, StrictDecoder, quick

MAX_OBJECT_BYTES = 100_000_000
_BLANK = b" \t\r\n"

MakeRecord = Callable[[Source, bytes, int], Record]


def pretty_printed_line(head: bytes) -> int | None:
    """The line of the first record when it only begins there and goes on below, indented."""
    lines = [(i, line) for i, line in enumerate(head.split(b"\n"), 1) if line.strip(_BLANK)]
    if len(lines) < 2 or lines[1][1].startswith(b"{"):
        return None
    number, first = lines[0]
    if not first.rstrip(_BLANK).endswith((b"{", b"[", b",", b":")):
        return None
    try:
        StrictDecoder().decode(first.decode("utf-8", "replace").strip())
    except JsonError as error:
        return number if error.flaw.rule == "json.truncated" else None
    return None


def pretty_records(
    file: str, blocks: Iterable[bytes], record: MakeRecord, *, offset: int
) -> Iterator[Record | Finding]:
    """Every object, broken ones included. `offset` is where the first block begins."""
    waiting: list[bytes] = []
    first, n_waiting, indentation = 0, 0, b""
    number = 0
    for line in (line for block in blocks for line in BytesIO(block)):
        number += 1
        if waiting and line.startswith(indentation + b"{"):  # the one before was never closed
            yield record(Source(file, first), b"".join(waiting), offset)
            offset += n_waiting
            waiting = []
        if not waiting:
            if not line.strip(_BLANK):
                yield blank_line(Source(file, number))
                offset += len(line)
                continue
            first, n_waiting = number, 0
            indentation = line[: len(line) - len(line.lstrip(b" \t"))]
        waiting.append(line)
        n_waiting += len(line)
        if _closes(line, indentation, is_first=len(waiting) == 1) or n_waiting > MAX_OBJECT_BYTES:
            yield record(Source(file, first), b"".join(waiting), offset)
            offset += n_waiting
            waiting = []
    if waiting:
        yield record(Source(file, first), b"".join(waiting), offset)


def _closes(line: bytes, indentation: bytes, *, is_first: bool) -> bool:
    """Whether an object ends with this line. It may also begin and end on one."""
    if is_first:
        return quick(line) is not UNDECIDED
    return line.startswith(indentation + b"}")
