"""Counts as bars, one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tuneval.pages.markup import Html, both
from tuneval.pages.numbers import share_text
from tuneval.pages.text import Text


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
        f"<span>{count:,}<small>{share_text(count, total)}</small></span></div>"
        for name, count in rows
    )


def _bar(count: int, whole: int) -> Html:
    return f'<i style="width:{100 * count / whole:.2f}%"></i>' if count else ""
