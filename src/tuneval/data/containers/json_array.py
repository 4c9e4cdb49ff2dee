"""A JSON array of objects: parsed record by record, each with the line where it begins.

The file is held in memory. After a record that cannot be read the next one is looked for where
the earlier ones began: at the same depth of indentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneval.data.example import Source
from tuneval.data.finding import Finding, clip
from tuneval.data.record import Record, finding_at, flaw_at, record_of
from tuneval.data.sniff import not_utf8
from tuneval.data.strict_json import JsonError, StrictDecoder, skip_whitespace

_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


def array_records(file: str, content: bytes, *, n_bytes_before: int) -> Iterator[Record | Finding]:
    """Every record of the array, broken ones included, then what is wrong with the array."""
    try:
        text, is_utf8 = content.decode("utf-8"), True
    except UnicodeDecodeError:
        text, is_utf8 = content.decode("utf-8", "surrogateescape"), False
    yield from _Array(file, text, is_utf8=is_utf8, n_bytes_before=n_bytes_before).records()


class _Array:
    """Walks the text of an array from left to right."""

    def __init__(self, file: str, text: str, *, is_utf8: bool, n_bytes_before: int) -> None:
        self._file = file
        self._text = text
        self._is_utf8 = is_utf8
        self._n_bytes_before = n_bytes_before
        self._decoder = StrictDecoder()
        self._counted = (0, 1)  # a position, and the line it stands on
        self._encoded = (0, 0)  # a position, and how many bytes stand before it
        self._next_start: re.Pattern[str] | None = None

    def records(self) -> Iterator[Record | Finding]:
        """Records, and a last Finding when the array does not end as it should."""
        at = skip_whitespace(self._text, self._text.index("[") + 1)
        if self._text[at : at + 1] == "]":
            yield from self._rest(at + 1)
            return
        if at == len(self._text):
            yield self._breaks_off()
            return
        self._learn_indentation(at)
        going_on: int | None = at
        while going_on is not None:
            record, after, is_next = self._record(going_on)
            yield record
            if is_next:
                going_on = after
            else:
                findings, going_on = self._separator(after)
                yield from findings

    def _record(self, at: int) -> tuple[Record, int, bool]:
        """The record at a position, the position after it, and whether a record begins there."""
        source = self._source(at)
        try:
            decoded = self._decoder.decode(self._text, at)
        except JsonError as error:
            after, is_next = self._find_next(at)
            finding = self._bad_byte(source, at, after) or flaw_at(
                self._source(error.flaw.position), error.flaw
            )
            return Record(source, None, (finding,)), after, is_next
        if bad := self._bad_byte(source, at, decoded.end):
            return Record(source, None, (bad,)), decoded.end, False
        return record_of(source, decoded), decoded.end, False

    def _separator(self, at: int) -> tuple[list[Finding], int | None]:
        """What is wrong between two records, and where the next one begins, if there is one."""
        at = skip_whitespace(self._text, at)
        mark = self._text[at : at + 1]
        if mark == "]":
            return self._rest(at + 1), None
        if mark == "":
            return [self._breaks_off()], None
        if mark != ",":
            what = "A comma is missing before this record."
            return [self._fault(at, "json.syntax", what, "add it")], at
        following = skip_whitespace(self._text, at + 1)
        if self._text[following : following + 1] == "]":
            what = "A comma stands after the last record."
            fault = self._fault(at, "json.trailing_comma", what, "remove the comma")
            return [fault, *self._rest(following + 1)], None
        if following == len(self._text):
            return [self._breaks_off()], None
        return [], following

    def _learn_indentation(self, at: int) -> None:
        """From the first record: what stands between a line's start and a record's start."""
        before = self._text[self._text.rfind("\n", 0, at) + 1 : at]
        if not before.strip(" \t"):
            self._next_start = re.compile(r"\n" + re.escape(before) + r"(?=\{)")

    def _find_next(self, at: int) -> tuple[int, bool]:
        """After the broken record at a position: where the next one begins, else the end."""
        if self._next_start and (found := self._next_start.search(self._text, at)):
            return found.end(), True
        end = len(self._text.rstrip(" \t\r\n"))
        closes = self._next_start is not None and self._text.endswith("]", at, end)
        return (end - 1 if closes else end), False

    def _bad_byte(self, source: Source, start: int, end: int) -> Finding | None:
        """The finding when the text from `start` to `end` holds bytes that are not UTF-8."""
        found = None if self._is_utf8 else _ESCAPED_BYTE.search(self._text, start, end)
        if found is None:
            return None
        position, n_bytes = self._encoded
        n_bytes += len(self._bytes(position, found.start()))
        self._encoded = (found.start(), n_bytes)
        return not_utf8(source, self._bytes(start, end), self._n_bytes_before + n_bytes)

    def _bytes(self, start: int, end: int) -> bytes:
        """A part of the text as it stands in the file."""
        return self._text[start:end].encode("utf-8", "surrogateescape")

    def _rest(self, at: int) -> list[Finding]:
        """What stands after the closing bracket, if anything does."""
        at = skip_whitespace(self._text, at)
        if at == len(self._text):
            return []
        what = f"After the end of the array the file goes on: {clip(self._text[at : at + 40])}."
        mend = "remove the rest, or put its records into the array"
        return [self._fault(at, "json.multiple_values", what, mend)]

    def _breaks_off(self) -> Finding:
        what = "The array is not closed, or the records after this place could not be found."
        mend = 'mend the record before, and end the file with "]"'
        return self._fault(len(self._text) - 1, "json.truncated", what, mend)

    def _fault(self, at: int, rule: str, what: str, mend: str) -> Finding:
        return finding_at(self._source(at), rule, what, mend=mend)

    def _source(self, at: int) -> Source:
        """The place of a position; counting goes on from the last one asked for."""
        position, line = self._counted if self._counted[0] <= at else (0, 1)
        self._counted = (at, line + self._text.count("\n", position, at))
        return Source(self._file, self._counted[1])
