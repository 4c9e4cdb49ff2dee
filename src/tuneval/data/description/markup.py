"""Small pieces of the page: escaped text in both languages, tables, bars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal

from tuneval.data.description.words import Text

Html = str


def both(text: Text | str) -> Html:
    """The text in both languages; the page shows the chosen one."""
    if isinstance(text, str) or text.en == text.zh:
        return escape(text if isinstance(text, str) else text.en)
    return (
        f'<span class="en" lang="en">{escape(text.en)}</span>'
        f'<span class="zh" lang="zh-Hans">{escape(text.zh)}</span>'
    )


def bullets(texts: Iterable[Text]) -> Html:
    """A list of sentences."""
    return f"<ul>{''.join(f'<li>{both(text)}</li>' for text in texts)}</ul>"


def section(name: str, heading: Text, *content: Html) -> Html:
    """A part of the page with its heading; empty when it has no content."""
    inner = "".join(content)
    return f'<section id="{name}"><h2>{both(heading)}</h2>{inner}</section>' if inner else ""


def panel(heading: Text | str, *content: Html) -> Html:
    """A card with a heading."""
    return f'<div class="panel"><h3>{both(heading)}</h3>{"".join(content)}</div>'


def tile(name: Text, value: Html, note: Html = "") -> Html:
    """A large number with its name, and a line below."""
    return f'<div class="tile"><h3>{both(name)}</h3><b>{value}</b><small>{note}</small></div>'


def facts(rows: Iterable[tuple[Text, Html]]) -> Html:
    """Names and values."""
    inner = "".join(f"<div><dt>{both(name)}</dt><dd>{value}</dd></div>" for name, value in rows)
    return f'<dl class="facts">{inner}</dl>'


def table(headings: Sequence[Text | str], rows: Iterable[Sequence[Html]]) -> Html:
    """A table whose first column is text; it scrolls sideways in itself. Cells are HTML."""
    head = "".join(f"<th>{both(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def bars(
    rows: Sequence[tuple[Text | str, int]], total: int, *, full: Literal["total", "largest"]
) -> Html:
    """One bar for each name, with its count and share of `total`. `full` is a whole bar's length.

    Shares that are to be compared with the whole fill up to the total; many small ones, that are
    to be compared with one another, up to the largest.
    """
    whole = total if full == "total" else max((count for _, count in rows), default=0)
    return "".join(
        f'<div class="count"><span>{both(name)}</span>'
        f'<span class="bar" aria-hidden="true">{_bar(count, whole)}</span>'
        f"<span>{count:,}<small>{share(count, total)}</small></span></div>"
        for name, count in rows
    )


def share(count: int, total: int) -> str:
    """`33.1%`."""
    return f"{100 * count / total:.1f}%" if total else "–"


def _bar(count: int, whole: int) -> Html:
    return f'<i style="width:{100 * count / whole:.2f}%"></i>' if count else ""
