"""The frame of a page: head, styles, the choice of language."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Literal

from tuneval.pages.markup import Html

Style = Literal["charts", "figures"]
_FOLDER = Path(__file__).parent


def document(
    title: str,
    *,
    about: str,
    styles: tuple[Style, ...] = (),
    css: Path | None = None,
    content: Html,
) -> Html:
    """A whole page. `about` stands beside the name of the tool.

    Styles follow one another: the base, those named (`charts`; `figures`: tables of numbers and
    cards), and the page's own file, if it has one, which has the last word.
    """
    sheets = [_FOLDER / "base.css", *(_FOLDER / f"{style}.css" for style in styles)]
    if css is not None:
        sheets.append(css)
    style = "".join(sheet.read_text(encoding="utf-8") for sheet in sheets)
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · tuneval</title><style>{style}</style></head><body>"
        '<input class="hidden" type="radio" name="language" id="say-en" checked>'
        '<input class="hidden" type="radio" name="language" id="say-zh">'
        f'<header class="top"><span class="brand">tuneval<small>{escape(about)}</small>'
        '</span><span class="languages"><label for="say-en">English</label>'
        '<label for="say-zh">中文</label></span></header>'
        f"<main>{content}</main></body></html>\n"
    )
