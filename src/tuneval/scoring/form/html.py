"""Tags and entities of HTML in a text that is no HTML: what scraping leaves behind."""

from __future__ import annotations

import re

_entity = re.compile(r"&(?:nbsp|amp|lt|gt|quot|apos|#\d{2,5}|#x[0-9a-f]{2,5});", re.IGNORECASE)
_tag = re.compile(
    r"</?(?:p|br|div|span|font|a|b|i|u|em|strong|li|ul|ol|td|tr|th|table|tbody|h[1-6]|img|hr"
    r"|center|section|article|script|style|iframe)(?:\s[^<>\n]{0,200})?/?>",
    re.IGNORECASE,
)
_is_about_html = re.compile(
    r"html|\bxml|\bcss\b|\bsvg\b|web ?page|website|\btags?\b|<\w|网页|网站|标签|前端", re.IGNORECASE
).search
_is_document = re.compile(r"<!doctype|<html|<\?xml|<script|<svg", re.IGNORECASE).search
_line_break = re.compile(r"<br ?/?>", re.IGNORECASE)


def has_html(prompt: str, prose: str) -> bool:
    """Whether tags or entities stand in a text, but for documents, and prompts about such.

    A table of Markdown may break its lines with `<br>`.
    """
    if not ("<" in prose or "&" in prose) or _is_document(prose) or _is_about_html(prompt):
        return False
    if _entity.search(prose):
        return True
    return any(
        _tag.search(_line_break.sub("", line) if "|" in line else line)
        for line in prose.split("\n")
        if "<" in line
    )
