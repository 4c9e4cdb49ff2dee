"""Small pieces of HTML: escaped text in both languages, sections, tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from tuneval.pages.text import Text

Html = str


def both(text: Text | str) -> Html:
    """The text in both languages; the page shows the chosen one."""
    return _both(text, "span")


def both_in_svg(text: Text | str) -> Html:
    """The same within a `<text>` of a chart."""
    return _both(text, "tspan")


def element(tag: str, content: Html, *, css: str = "") -> Html:
    """One element; `content` is HTML already."""
    return f'<{tag} class="{css}">{content}</{tag}>' if css else f"<{tag}>{content}</{tag}>"


def bullets(texts: Iterable[Text]) -> Html:
    """A list of sentences."""
    return element("ul", "".join(element("li", both(text)) for text in texts))


def section(name: str, heading: Text, *content: Html) -> Html:
    """A part of the page with its heading; empty when it has no content."""
    inner = "".join(content)
    return f'<section id="{name}"><h2>{both(heading)}</h2>{inner}</section>' if inner else ""


def panel(heading: Text | str, *content: Html) -> Html:
    """A card with a heading."""
    return f'<div class="panel"><h3>{both(heading)}</h3>{"".join(content)}</div>'


def panels(cards: Sequence[Html]) -> Html:
    """Cards beside one another where there is room; empty without any."""
    return f'<div class="panels">{"".join(cards)}</div>' if cards else ""


def tile(name: Text, value: Html, note: Html = "") -> Html:
    """A large number with its name, and a line below."""
    return f'<div class="tile"><h3>{both(name)}</h3><b>{value}</b><small>{note}</small></div>'


def note(text: Text) -> Html:
    """A remark below a table or chart."""
    return f'<p class="soft"><small>{both(text)}</small></p>'


def facts(rows: Iterable[tuple[Text | str, Html]]) -> Html:
    """Names and values; rows without a value are left out."""
    inner = "".join(
        f"<div><dt>{both(name)}</dt><dd>{value}</dd></div>" for name, value in rows if value
    )
    return f'<dl class="facts">{inner}</dl>' if inner else ""


def table(headings: Sequence[Text | str], rows: Iterable[Sequence[Html]], *, css: str = "") -> Html:
    """A table that scrolls sideways in itself where the page is narrow; cells are HTML."""
    head = "".join(f"<th>{both(heading)}</th>" for heading in headings)
    body = "".join(element("tr", "".join(f"<td>{cell}</td>" for cell in row)) for row in rows)
    kind = f' class="{css}"' if css else ""
    return (
        f'<div class="scroll"><table{kind}><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _both(text: Text | str, tag: str) -> Html:
    if isinstance(text, str) or text.en == text.zh:
        return escape(text if isinstance(text, str) else text.en)
    return (
        f'<{tag} class="en" lang="en">{escape(text.en)}</{tag}>'
        f'<{tag} class="zh" lang="zh-Hans">{escape(text.zh)}</{tag}>'
    )
