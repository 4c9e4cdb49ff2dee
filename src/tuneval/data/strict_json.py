"""JSON as its standard has it: what Python's own reader lets pass is named.

Duplicate keys, NaN and Infinity, numbers beyond any float, halves of surrogate pairs and absurd
nesting all pass `json.loads`, and fail or mislead later.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tuneval.data.finding import clip

MAX_DEPTH = 100
_WHITESPACE = re.compile(r"[ \t\r\n]*")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong at a position of the text."""

    rule: str
    what: str
    mend: str
    position: int
    path: str = ""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A value, the position after it, and what a strict reader says of it."""

    value: Any
    end: int
    flaws: tuple[Flaw, ...]


class JsonError(ValueError):
    """The text is not JSON."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.what)
        self.flaw = flaw


class StrictDecoder:
    """Reads values one after the other out of a text."""

    def __init__(self) -> None:
        self._notes: list[tuple[str, str, str]] = []
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_constant=self._constant, parse_float=self._float
        )

    def decode(self, text: str, start: int = 0) -> Decoded:
        """The value that begins at `start`. Raises JsonError when there is none."""
        self._notes.clear()
        try:
            value, end = self._decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            raise JsonError(_explain(text, error.msg, error.pos, start)) from None
        except RecursionError:
            raise JsonError(_too_deep(start)) from None
        except ValueError as error:  # a whole number of more than 4300 digits
            raise JsonError(
                Flaw("json.number", f"A number cannot be read: {error}.", "shorten it", start)
            ) from None
        flaws = [Flaw(rule, what, mend, start) for rule, what, mend in self._notes]
        flaws += _hidden_flaws(text, start, end, value)
        return Decoded(value, end, tuple(flaws))

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            counts = Counter(name for name, _ in pairs)
            twice = sorted(name for name, count in counts.items() if count > 1)
            self._notes += [
                (
                    "json.duplicate_key",
                    f"The key {clip(name)} stands twice in one object; "
                    "most readers keep only the last.",
                    "keep one of them",
                )
                for name in twice
            ]
        return made

    def _constant(self, name: str) -> None:
        self._notes.append(
            ("json.nan", f"{name} is not JSON; many readers refuse it.", "write null or a number")
        )

    def _float(self, text: str) -> float:
        number = float(text)
        if not math.isfinite(number):
            self._notes.append(
                (
                    "json.number",
                    f"The number {clip(text, 30)[1:-1]} is too large.",
                    "write a smaller number",
                )
            )
        return number


def skip_whitespace(text: str, start: int) -> int:
    """The position of the next character that is not JSON's white space."""
    match = _WHITESPACE.match(text, start)
    return match.end() if match else start


def _hidden_flaws(text: str, start: int, end: int, value: Any) -> Iterator[Flaw]:
    """Flaws of a value that the decoder does not see; the cheap look comes first."""
    if _SURROGATE_ESCAPE.search(text, start, end):
        for path, string in _strings(value):
            if found := _SURROGATE.search(string):
                yield Flaw(
                    "encoding.lone_surrogate",
                    f"{path or 'A key'} holds \\u{ord(found[0]):04x}, one half of a character; "
                    "no tokenizer can read it.",
                    "write the whole character (often an emoji that was cut), or remove the half",
                    start,
                    path,
                )
    if text.count("[", start, end) + text.count("{", start, end) > MAX_DEPTH and _is_deep(value):
        yield _too_deep(start)


def _strings(value: Any) -> Iterator[tuple[str, str]]:
    """Path and text of every string in a value, keys included (their path is empty)."""
    waiting = [("", value)]
    while waiting:
        path, item = waiting.pop()
        if isinstance(item, str):
            yield path, item
        elif isinstance(item, list):
            waiting += [(f"{path}[{i}]", part) for i, part in enumerate(item)]
        elif isinstance(item, dict):
            waiting += [("", key) for key in item]
            waiting += [(f"{path}.{key}".lstrip("."), part) for key, part in item.items()]


def _is_deep(value: Any) -> bool:
    level = [[value]]
    for _ in range(MAX_DEPTH + 1):
        parts = [part for item in level for part in item]
        level = [list(p.values()) if isinstance(p, dict) else p for p in parts if _holds_more(p)]
    return bool(level)


def _holds_more(value: Any) -> bool:
    return isinstance(value, dict | list)


def _too_deep(start: int) -> Flaw:
    return Flaw(
        "json.too_deep",
        f"Brackets stand more than {MAX_DEPTH} deep in one another.",
        "flatten the record",
        start,
    )


def _explain(text: str, message: str, position: int, start: int) -> Flaw:
    """What a person would say of a syntax error."""
    column = position - text.rfind("\n", 0, position)
    character = text[position : position + 1]
    before = text[max(start, position - 200) : position].rstrip()
    near = (
        f"at column {column}, near {clip(text[max(start, position - 20) : position + 20].strip())}"
    )
    if skip_whitespace(text, position) == len(text):
        return Flaw(
            "json.truncated",
            f"This is not valid JSON: it breaks off at column {column}.",
            "complete the record or remove it",
            position,
        )
    if message.startswith("Unterminated string"):
        what, mend = f"the text {near} is never closed", 'close it with "'
    elif character in ("}", "]") and before.endswith(","):
        what, mend = f"a comma stands before '{character}' {near}", "remove the comma"
    elif message.startswith("Illegal trailing comma"):
        what, mend = f"a comma too many stands {near}", "remove the comma"
    elif character == "'":
        what, mend = f"a single quote stands {near}", 'use double quotes: "'
    elif message.startswith("Invalid control character"):
        escape = json.dumps(character)[1:-1]
        what = f"a raw control character (U+{ord(character):04X}) stands inside a text {near}"
        mend = f"write it as {escape}"
    elif message.startswith("Invalid \\"):
        what, mend = f"a backslash means nothing {near}", "write two backslashes for one"
    else:
        what, mend = f"{message[:1].lower()}{message[1:]} {near}", "mend the line or remove it"
    return Flaw("json.syntax", f"This is not valid JSON: {what}.", mend, position)
