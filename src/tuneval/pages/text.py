"""Texts of a page: in two languages, and those of data, which may hold anything."""

from __future__ import annotations

import re
from typing import NamedTuple

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


class Text(NamedTuple):
    """The same thing said in both languages."""

    en: str
    zh: str


def english(text: Text | str) -> str:
    """The English of a text that may have only one language."""
    return text if isinstance(text, str) else text.en


def clipped(text: str, most: int) -> str:
    """The first `most` characters, with … where there were more.

    Control characters, marks that turn the direction of what follows, and halves of surrogate
    pairs (which UTF-8 cannot hold) become `�`.
    """
    shown = _UNSEEN.sub("\ufffd", text[: most + 1].replace("\r\n", "\n"))
    return shown if len(text) <= most else shown[:most].rstrip() + "…"
