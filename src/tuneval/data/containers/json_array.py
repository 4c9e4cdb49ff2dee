"""A JSON array of objects: element by element, each with the line where it begins.

Only a few MB of it are in memory. Where elements follow one another as the last two did, an end
is found by searching for the same bytes (`},\\n  {"instruction"`); that the slice is one whole
value proves the guess. After an element that cannot be read the next one is looked for where the
earlier ones began: at the same depth of indentation. Every byte that is not white space, a comma
or a bracket of the array is in the `raw` of one record.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import BinaryIO, Literal

from tuneval.data.containers.array_findings import (
    bad_byte,
    breaks_off,
    flaw_in_file,
    goes_on,
    missing_comma,
    not_beyond,
    still_broken,
    trailing_comma,
)
from tuneval.data.containers.element_end import MAX_BYTES, element_end
from tuneval.data.containers.window import CHUNK_BYTES, Window
from tuneval.data.finding import Finding
from tuneval.data.record import Record, record_of
from tuneval.data.strict_json import UNDECIDED, Decoded, JsonError, StrictDecoder, quick

_WHITE = b" \t\r\n"
_SPACE = re.compile(rb"[ \t\r\n]*")
_NEXT_ALIKE = re.compile(rb'(\}[ \t\r\n]*,[ \t\r\n]*)\{[ \t\r\n]*"[^"\\\n]{0,100}"')
_CONTEXT_BYTES = 200  # of what follows a broken element, for the words about its end
_PATIENCE_BYTES = 16 << 20  # how far an element may go on after what looks like the next one

IsNext = bool  # whether an element begins where `at` stands now


def array_records(
    file: str, head: bytes, stream: BinaryIO, *, n_bytes_before: int
) -> Iterator[Record | Finding]:
    """Every record of the array, broken ones included, and what is wrong with the array.

    `head` is what was read of `stream` already, `n_bytes_before` what stands before that.
    """
    yield from _Array(Window(file, head, stream, n_bytes_before=n_bytes_before)).records()


class _Array:
    """Walks through an array from left to right; `window.at` is where it stands."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._decoder = StrictDecoder()
        self._alike: tuple[bytes, int] | None = None
        self._next_start: re.Pattern[bytes] | None = None
        self._patience_bytes = _PATIENCE_BYTES

    def records(self) -> Iterator[Record | Finding]:
        """The records of the array, then whatever follows it: all of that is too much."""
        window = self._window
        window.at = window.data.index(b"[") + 1
        yield from self._array()
        while mark := self._mark():
            too_much = goes_on(window, self._text(0))
            if mark in b"[],":
                yield too_much
                window.at += 1
                if mark == b"[":
                    yield from self._array()
                continue
            for record in self._element():
                findings = record.findings if record.value is not None else ()
                yield replace(record, findings=(too_much, *findings))

    def _array(self) -> Iterator[Record | Finding]:
        """From after the opening bracket to after the closing one."""
        mark = self._mark()
        if mark == b"]":
            self._window.at += 1
            return
        if mark == b"":
            yield breaks_off(self._window)
            return
        self._learn_indentation()
        is_next = True
        while is_next:
            yield from self._elements_alike()
            is_next = yield from self._element()
            if not is_next:
                is_next = yield from self._separator()

    def _elements_alike(self) -> Iterator[Record]:
        """Elements that end as the one before, for as long as the guess is right."""
        if self._alike is None:
            return
        window, data = self._window, self._window.data
        (mark, n_between), reach = self._alike, 1 << 16
        while end := data.find(mark, window.at, window.at + reach) + 1:
            raw = data[window.at : end]
            value = quick(raw)
            if type(value) is not dict:
                return
            yield Record(window.source(window.at), value, (), raw)
            window.at = end + n_between
            reach = 4096 + 8 * len(raw)

    def _element(self) -> Generator[Record, None, IsNext]:
        """One element, whatever it is."""
        window = self._window
        end, closes = self._extent()
        if closes:
            raw = window.data[window.at : end]
            value = quick(raw)
            if value is not UNDECIDED:
                yield record_of(window.source(window.at), Decoded(value, len(raw), ()), raw)
                window.at = end
                self._learn_what_is_between()
                return False
        text = self._text(end - window.at)
        try:
            decoded = self._decoder.decode(text)
        except JsonError as error:
            flaw = error.flaw
            if not closes and self._next_start is not None:
                flaw = not_beyond(flaw, self._text(end - window.at, n_context=0))
            return (yield from self._broken(flaw_in_file(window, text, flaw)))
        raw = text[: decoded.end].encode("utf-8", "surrogateescape")
        source = window.source(window.at)
        bad = bad_byte(window, raw)
        yield Record(source, None, (bad,), raw) if bad else record_of(source, decoded, raw)
        window.at += len(raw)
        return False

    def _text(self, n_bytes: int, n_context: int = _CONTEXT_BYTES) -> str:
        """The text at `at`, so many bytes and a little of what follows."""
        window = self._window
        n_bytes += n_context
        while len(window.data) - window.at < n_bytes and window.more():
            pass
        content = window.data[window.at : window.at + n_bytes]
        return content.decode("utf-8", "surrogateescape")

    def _extent(self) -> tuple[int, bool]:
        """Where the element ends, and whether that is where its brackets close.

        A broken one may seem to hold all that follow; then it ends where the next one begins.
        """
        window = self._window
        patience = MAX_BYTES if self._next_start is None else self._patience_bytes
        end = element_end(window, patience)
        if end is None and self._next_start is not None:
            if start := self._next_start.search(window.data, window.at):
                if len(window.data) - window.at >= patience > CHUNK_BYTES // 16:
                    self._patience_bytes //= 4
                return start.end(), False
            end = element_end(window)
        return (len(window.data), False) if end is None else (end, True)

    def _broken(self, finding: Finding) -> Generator[Record, None, IsNext]:
        """A broken element, up to where the next one begins, else up to the end of the file.

        What is long comes in parts, so that not all of it is in memory.
        """
        window = self._window
        first = window.source(window.at)
        while True:
            raw, what_follows = self._part()
            if raw:
                is_whole = what_follows != "more"
                bad = bad_byte(window, raw, is_whole=is_whole)
                yield Record(window.source(window.at), None, (bad or finding,), raw)
            window.at += len(raw)
            if what_follows != "more":
                return what_follows == "element"
            finding = still_broken(window, first)

    def _part(self) -> tuple[bytes, Literal["element", "more", "end"]]:
        """The next bytes of a broken element, and what follows them."""
        window = self._window
        while True:
            if self._next_start and (start := self._next_start.search(window.data, window.at)):
                return window.data[window.at : start.end()], "element"
            if len(window.data) - window.at > 2 * CHUNK_BYTES:
                return window.data[window.at : window.at + CHUNK_BYTES], "more"
            if not window.more():
                raw = window.data[window.at :].rstrip(_WHITE)
                closes = self._next_start is not None and raw.endswith(b"]")
                return raw[:-1] if closes else raw, "end"

    def _separator(self) -> Generator[Finding, None, IsNext]:
        """What is wrong between two elements."""
        window = self._window
        mark = self._mark()
        if mark == b"":
            yield breaks_off(window)
        elif mark == b"]":
            window.at += 1
        elif mark != b",":
            yield missing_comma(window)
            return True
        else:
            comma = window.source(window.at)
            window.at += 1
            mark = self._mark()
            if mark not in (b"", b"]"):
                return True
            if mark == b"":
                yield breaks_off(window)
            else:
                yield trailing_comma(comma)
                window.at += 1
        return False

    def _mark(self) -> bytes:
        """The next byte that is not white space; `at` stands on it. Empty at the end."""
        window = self._window
        while True:
            window.at = _SPACE.match(window.data, window.at).end()  # type: ignore[union-attr]
            if window.at < len(window.data) or not window.more():
                return window.data[window.at : window.at + 1]

    def _learn_indentation(self) -> None:
        """From the first element: what stands between a line's start and an element's start."""
        data, at = self._window.data, self._window.at
        line_end = data.rfind(b"\n", 0, at)
        before = data[line_end + 1 : at]
        if line_end >= 0 and not before.strip(b" \t"):
            self._next_start = re.compile(rb"\n" + re.escape(before) + rb"(?=\{)")

    def _learn_what_is_between(self) -> None:
        """From the last element: what stands from its end to the next one's first key."""
        found = _NEXT_ALIKE.match(self._window.data, self._window.at - 1)
        if found:
            self._alike = found[0], len(found[1]) - 1
