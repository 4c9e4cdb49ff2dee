"""The tokens of a text that is nearly JSON: where its texts, brackets and commas stand."""

from __future__ import annotations

import re
from typing import Literal, cast

Kind = Literal["text", "open", "close", "comma", "space", "other"]
Token = tuple[Kind, int, int]

_TOKEN = re.compile(
    r'(?P<text>"[^"\\]*(?:\\.[^"\\]*)*")'
    r"|(?P<open>[{\[])|(?P<close>[}\]])|(?P<comma>,)|(?P<space>[ \t\r\n]+)"
    r'|(?P<other>[^"{}\[\], \t\r\n]+)',
    re.DOTALL,
)


def tokens(text: str) -> list[Token]:
    """Kind, start and end of each token, without a gap; empty when a text is never closed."""
    found: list[Token] = []
    at = 0
    while match := _TOKEN.match(text, at):
        found.append((cast(Kind, match.lastgroup), at, match.end()))
        at = match.end()
    return found if at == len(text) else []


def top_level_ends(text: str) -> list[int]:
    """Where each value in brackets ends, if several may stand side by side.

    Empty when something else stands between them than white space and commas, or a bracket or
    a text is never closed.
    """
    ends: list[int] = []
    depth = 0
    for kind, _, end in tokens(text):
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth -= 1
            if depth < 0:
                return []
            if depth == 0:
                ends.append(end)
        elif depth == 0 and kind not in ("space", "comma"):
            return []
    return ends if depth == 0 else []
