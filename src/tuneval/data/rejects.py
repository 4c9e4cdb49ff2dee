"""The file beside a fixed one: every record that was dropped or changed, as it stood, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from tuneval import files
from tuneval.data.finding import Finding
from tuneval.data.repairs import REPAIRS
from tuneval.data.repairs.found import Between, Done, Found
from tuneval.data.repairs.out import line_of
from tuneval.data.taken_out import original


class Rejects:
    """Writes the rows to a stream, one JSON object a line, in the order of the source.

    With the new file's lines they are the whole source: `offset` says where `original` stands,
    and the rows of JSON lines leave gaps only for lines that were kept as they stood.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def dropped(self, found: Found, why: Sequence[Finding]) -> None:
        """A record that is not in the new file."""
        row = {
            "action": "dropped",
            **_place(found),
            **_reasons([(finding.rule, finding.what) for finding in why]),
            **original(found.original or files.json_bytes(found.value)),
        }
        self._write(row)

    def repaired(self, before: Found, after: Found, done: Sequence[Done], number: int) -> None:
        """A record that is there in another form; it is the one of this `number`, from 1."""
        row = {
            "action": "repaired",
            **_place(before),
            **_reasons([(each.rule, each.reason) for each in done]),
            "repairs": list(dict.fromkeys(each.repair for each in done)),
            **original(before.original or files.json_bytes(before.value)),
            "repaired": line_of(after).decode("utf-8").removesuffix("\n"),
            "out_line": number,
        }
        self._write(row)

    def left_out(self, between: Between) -> None:
        """What stood between two records."""
        row = {
            "action": "dropped",
            "where": between.where,
            "line": between.line,
            "offset": between.offset,
            **_reasons([(between.rule, between.what)]),
            "repairs": [repair.name for repair in REPAIRS.get(between.rule, ())],
            **original(between.original),
        }
        self._write(row)

    def _write(self, row: Mapping[str, Any]) -> None:
        self._stream.write(files.json_bytes(row) + b"\n")


def _place(found: Found) -> dict[str, Any]:
    source = found.source
    return {"where": str(source), "line": source.line, "offset": found.offset}


def _reasons(why: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    return {
        "rules": list(dict.fromkeys(rule for rule, _ in why)),
        "reasons": list(dict.fromkeys(reason for _, reason in why)),
    }
