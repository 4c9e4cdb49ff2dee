"""Where a JSON value ends, from its brackets and quotes alone: it need not be sound inside."""

from __future__ import annotations

import re

from tuneval.data.containers.window import Window

MAX_BYTES = 64 << 20
# What holds no bracket of the value's own. A raw line end in a text means that a quote is missing.
_NO_BRACKET = re.compile(
    rb'[^"{}\[\]]*+(?:"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"[^"{}\[\]]*+)*+', re.DOTALL
)
_TEXT = re.compile(rb'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+', re.DOTALL)
_WORD = re.compile(rb'[^\s,"{}\[\]]*+')
_OPEN, _CLOSE, _QUOTE = b"{[", b"}]", b'"'


def element_end(window: Window, max_bytes: int = MAX_BYTES) -> int | None:
    """The position after the value that begins at `window.at`; more is read where it goes on.

    None when it does not end before the file does, or within `max_bytes`, or is none at all.
    """
    first = window.data[window.at : window.at + 1]
    if first in (b"{", b"["):
        return _after_brackets(window, max_bytes)
    if first == _QUOTE:
        return _after_text(window, max_bytes)
    return _after_word(window, max_bytes)


def _after_brackets(window: Window, max_bytes: int) -> int | None:
    depth = n_seen = 0  # n_seen bytes of the value, that far the brackets are counted
    while n_seen < max_bytes:
        position = _NO_BRACKET.match(window.data, window.at + n_seen).end()  # type: ignore[union-attr]
        n_seen = position - window.at
        mark = window.data[position : position + 1]
        if mark == b"":
            if not window.more():
                return None
        elif mark in _OPEN:
            depth += 1
            n_seen += 1
        elif mark in _CLOSE:
            depth -= 1
            n_seen += 1
            if depth == 0:
                return window.at + n_seen
        elif not _goes_on(window, position) or not window.more():
            return None
    return None


def _after_text(window: Window, max_bytes: int) -> int | None:
    while len(window.data) - window.at < max_bytes:
        end = _TEXT.match(window.data, window.at).end()  # type: ignore[union-attr]
        if window.data[end : end + 1] == _QUOTE:
            return end + 1
        if not _goes_on(window, window.at) or not window.more():
            return None
    return None


def _after_word(window: Window, max_bytes: int) -> int | None:
    while len(window.data) - window.at < max_bytes:
        end = _WORD.match(window.data, window.at).end()  # type: ignore[union-attr]
        if end < len(window.data) or not window.more():
            return end if end > window.at else None
    return None


def _goes_on(window: Window, quote: int) -> bool:
    """Whether the text that begins at `quote` is cut by the window's end, not by a line's."""
    end = _TEXT.match(window.data, quote).end()  # type: ignore[union-attr]
    return end >= len(window.data) - 1 and window.data[end : end + 1] != b"\n"
