"""What is to be said of a line, whatever its record means."""

from __future__ import annotations

from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.record import finding_at
from tuneval.data.strict_json import Flaw


def blank_line(source: Source) -> Finding:
    """Nothing but white space stands on it."""
    return finding_at(
        source,
        "file.blank_line",
        "The line is blank; other readers refuse it.",
        mend="remove it",
        severity="warning",
    )


def mark_inside(source: Source) -> Finding:
    """It begins with a byte order mark, and is not the first."""
    return finding_at(
        source,
        "encoding.bom",
        "The line begins with a byte order mark, as after joining two files.",
        mend="remove the mark (the bytes EF BB BF)",
        severity="warning",
    )


def long_line(source: Source, n_bytes: int) -> Finding:
    """It is longer than some readers allow."""
    return finding_at(
        source,
        "file.line_too_long",
        f"The line has {n_bytes / 1e6:.1f} million bytes; some readers refuse more than 10.",
        mend="look whether it holds what it should; part the record if it can be parted",
        severity="warning",
    )


def pretty_printed(source: Source) -> Finding:
    """A record begins on it and goes on below."""
    return finding_at(
        source,
        "file.pretty_printed",
        "The record runs over several lines; JSON lines have one whole object on each line.",
        mend=f"rewrite it: jq -c . {source.file} > lines.jsonl; or make it one array: [ … ]",
    )


def breaks_off(flaw: Flaw, text: str) -> Flaw:
    """The flaw of a last line that was cut: no quote is missing in it, its rest is."""
    what = f"This is not valid JSON: it breaks off at column {len(text.rstrip()) + 1}."
    mend = "complete the record or remove it"
    return Flaw("json.truncated", what, mend, flaw.position)
