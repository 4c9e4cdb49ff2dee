"""Small pieces of Markdown, safe for texts of data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table; a cell is one line of at most 200 characters."""
    yield "| " + " | ".join(headings) + " |"
    yield "| " + " | ".join("---" for _ in headings) + " |"
    for row in rows:
        yield "| " + " | ".join(one_line(cell, 200).replace("|", "\\|") for cell in row) + " |"


def one_line(text: str, most: int) -> str:
    """The text without line breaks, cut at `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most] + "…"


def code(text: str) -> str:
    """Code that may hold back-ticks itself."""
    fence = "`"
    while fence in text:
        fence += "`"
    return f"{fence}{text}{fence}" if text and fence == "`" else f"{fence} {text or '∅'} {fence}"
