"""Containers: how records lie in a file, whatever the records mean.

`records(path)` finds out by the first byte and gives every record, broken ones included, with
the line where it begins; what is wrong with the file as a whole comes as a Finding in between.
"""

from __future__ import annotations

from collections.abc import Iterator

from tuneval import files
from tuneval.data.containers.json_array import array_records
from tuneval.data.containers.json_lines import line_records
from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.record import Record, finding_at
from tuneval.data.sniff import BOM, refusal

_HEAD_BYTES = 65536


def records(path: files.Location) -> Iterator[Record | Finding]:
    """Every record of a local file or URL, in order. Raises StorageError when it cannot be read."""
    file = str(path)
    with files.open_bytes(path) as stream:
        head = stream.read(_HEAD_BYTES)
        if (refused := refusal(file, head)) is not None:
            yield refused
            return
        content = head.removeprefix(BOM)
        n_before = len(head) - len(content)
        if n_before:
            yield _warning(
                file,
                "encoding.bom",
                "The file begins with a byte order mark; other readers refuse its first line.",
                "save it as UTF-8 without BOM",
            )
        if content.lstrip(b" \t\r\n").startswith(b"["):
            if file.endswith(".jsonl"):
                yield _warning(
                    file,
                    "file.array_not_jsonl",
                    "The file holds one JSON array, not JSON lines as its name says.",
                    "name it .json, or write each record on a line of its own",
                )
            yield from array_records(file, content + stream.read(), n_bytes_before=n_before)
        else:
            yield from line_records(file, content, stream, n_bytes_before=n_before)


def _warning(file: str, rule: str, what: str, mend: str) -> Finding:
    return finding_at(Source(file, 1), rule, what, mend=mend, severity="warning")
