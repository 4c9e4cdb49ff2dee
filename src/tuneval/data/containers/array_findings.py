"""What is to be said of a JSON array at the place where its reader stands."""

from __future__ import annotations

import re
from dataclasses import replace

from tuneval.data.containers.window import Window
from tuneval.data.example import Source
from tuneval.data.finding import Finding, clip
from tuneval.data.record import finding_at, flaw_at
from tuneval.data.sniff import not_utf8
from tuneval.data.strict_json import Flaw

_COLUMN = re.compile(r"\bcolumn (\d+)")


def bad_byte(window: Window, raw: bytes, *, is_whole: bool = True) -> Finding | None:
    """The bytes that begin at the place are not UTF-8. A part may end within a character."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if is_whole or error.end < len(raw):
            source = window.source(window.at)
            return not_utf8(source, raw, window.offset(window.at) + error.start)
    return None


def flaw_in_file(window: Window, text: str, flaw: Flaw) -> Finding:
    """A flaw of the text that begins at the place, with its line, and its column in that."""
    source = window.source(window.at)
    n_lines = text.count("\n", 0, flaw.position)
    if n_lines == 0:
        n_before = window.n_characters_before(window.at)
        what = _COLUMN.sub(lambda found: f"column {int(found[1]) + n_before}", flaw.what, 1)
        flaw = replace(flaw, what=what)
    return flaw_at(replace(source, line=source.line + n_lines), flaw)


def not_beyond(flaw: Flaw, element: str) -> Flaw:
    """The flaw of an element that is never closed, when only the next one brings it to light."""
    if flaw.position <= len(element):
        return flaw
    what = "This is not valid JSON: the record is not closed before the next one begins."
    return Flaw("json.syntax", what, "close its brackets", len(element.rstrip(" \t\r\n,")))


def still_broken(window: Window, first: Source) -> Finding:
    """The place is inside a long element that began at `first`."""
    return finding_at(
        window.source(window.at),
        "json.syntax",
        f"This still belongs to the record at {first.place}, which cannot be read.",
        mend="mend that record",
    )


def missing_comma(window: Window) -> Finding:
    """An element begins at the place, and no comma stands before it."""
    what = "A comma is missing before this record."
    return finding_at(window.source(window.at), "json.syntax", what, mend="add it")


def trailing_comma(comma: Source) -> Finding:
    """The array ends after a comma."""
    what = "A comma stands after the last record."
    return finding_at(comma, "json.trailing_comma", what, mend="remove the comma")


def goes_on(window: Window, rest: str) -> Finding:
    """The array has ended, and the file has not."""
    return finding_at(
        window.source(window.at),
        "json.multiple_values",
        f"After the end of the array the file goes on: {clip(rest[:40])}.",
        mend="remove the rest, or put its records into the array",
    )


def breaks_off(window: Window) -> Finding:
    """The file has ended, and the array has not."""
    return finding_at(
        window.source(len(window.data) - 1),
        "json.truncated",
        "The array is not closed, or the records after this place could not be found.",
        mend='mend the record before, and end the file with "]"',
    )
