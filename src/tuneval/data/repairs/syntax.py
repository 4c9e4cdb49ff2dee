"""Small slips of those who write JSON by hand or glue it together."""

from __future__ import annotations

import json
import re

from tuneval.data.repairs.json_tokens import tokens, top_level_ends

_CONTROL = re.compile("[\x00-\x1f]")
_SEPARATOR = re.compile(r"[ \t\r\n]*,?[ \t\r\n]*")


def remove_trailing_commas(text: str) -> str | None:
    """Without the commas that stand before a closing bracket or after the record."""
    kept: list[str] = []
    waiting: list[str] = []  # a comma after a value, and the white space after it
    after_value = False
    for kind, start, end in tokens(text):
        part = text[start:end]
        if kind == "space":
            (waiting or kept).append(part)
            continue
        if kind == "comma" and after_value:
            waiting = [part]
        else:
            kept += waiting[1:] if kind == "close" else waiting
            waiting = []
            kept.append(part)
        after_value = kind in ("text", "close", "other")
    made = "".join(kept + waiting[1:])
    return made if kept and made != text else None


def escape_control_characters(text: str) -> str | None:
    r"""With raw line breaks, tabs and the like inside texts written as `\n`, `\t`, `\u0007`."""
    parts = [
        _CONTROL.sub(lambda found: json.dumps(found[0])[1:-1], text[start:end])
        if kind == "text"
        else text[start:end]
        for kind, start, end in tokens(text)
    ]
    made = "".join(parts)
    return made if parts and made != text else None


def split_values(text: str) -> list[str]:
    """The objects of a text that stand side by side; joined again they are that text.

    The comma and the white space after an object go with it. Empty when there is no second one.
    """
    ends = top_level_ends(text)
    if len(ends) < 2:
        return []
    starts = [0]
    for end in ends[:-1]:
        separator = _SEPARATOR.match(text, end)
        starts.append(separator.end() if separator else end)
    parts = [text[at:until] for at, until in zip(starts, [*starts[1:], len(text)], strict=True)]
    return parts if all(part.lstrip(" \t\r\n").startswith("{") for part in parts) else []


def on_one_line(text: str) -> str:
    """The same JSON without line breaks, and without the white space around them."""
    made: list[str] = []
    after_comma = False
    for kind, start, end in tokens(text):
        part = text[start:end]
        if kind == "space" and ("\n" in part or "\r" in part):
            part = " " if after_comma else ""
        after_comma = kind == "comma"
        made.append(part)
    return "".join(made).strip() if made else text
