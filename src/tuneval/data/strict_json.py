"""JSON as its standard has it: what Python's own reader lets pass is named.

Duplicate keys, NaN and Infinity, numbers beyond any float, halves of surrogate pairs and absurd
nesting all pass `json.loads`, and fail or mislead later.

Two ways lead to a value. `StrictDecoder` is exact, and says what is wrong. `quick` is fast, and
gives a value only where it can prove that the decoder would find nothing; what it leaves
undecided, good or bad, goes to the decoder. So it never changes what is found. No depth of
brackets overflows the stack of either: Python's reader counts, orjson stops at 1024.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from tuneval.data.finding import clip

MAX_DEPTH = 100
UNDECIDED: Any = object()
_WHOLE = 2.0**63  # beyond, orjson may have made a float of a whole number
_PART_OF_A_NUMBER = re.compile(r"-|\.|\.?[eE][+-]?")
_PART_OF_AN_ESCAPE = re.compile(r"\\?u?[0-9a-fA-F]{0,4}")
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
    """The text is not JSON. `breaks_off`: it might be, if only it went on."""

    def __init__(self, flaw: Flaw, *, breaks_off: bool = False) -> None:
        super().__init__(flaw.what)
        self.flaw = flaw
        self.breaks_off = breaks_off


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
            flaw = _explain(text, error.msg, error.pos, start)
            breaks_off = _breaks_off(text, error.msg, error.pos)
            raise JsonError(flaw, breaks_off=breaks_off) from None
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


def quick(content: bytes) -> Any:
    """The value of a whole JSON text in UTF-8, if it surely is flawless; else UNDECIDED.

    White space may stand around it. Flawed texts are always undecided, and a few good ones are:
    those with numbers beyond 2**63, nested to the limit, or with both `\\u0022` and `\\"`.
    """
    try:
        value = orjson.loads(content)
    except ValueError:
        return UNDECIDED
    n_strings, strings = _census(value)
    if n_strings is None:
        return UNDECIDED
    return value if has_no_other_string(content, n_strings, strings) else UNDECIDED


def has_no_other_string(content: bytes, n_strings: int, strings: Iterable[str]) -> bool:
    """Whether the text that orjson made a value of holds only the value's strings, keys included.

    Then no key stands twice: of a key that does, the value has lost at least one string. Every
    string has two quotes, and those within one are escaped, as `\\"` unless as `\\u0022`.
    `strings` may leave out those that surely have no quote in them.
    """
    n_more = content.count(b'"') - 2 * n_strings
    if n_more == 0:
        return True
    return n_more == sum(s.count('"') for s in strings) and b"\\u0022" not in content


def _census(value: Any) -> tuple[int | None, list[str]]:
    """How many strings a value of orjson's holds, and which; None where a flaw may be hidden."""
    strings: list[str] = []
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            kind = type(item)
            if kind is str:
                strings.append(item)
            elif kind is dict:
                strings += item
                below += item.values()
            elif kind is list:
                below += item
            elif kind is float and not -_WHOLE < item < _WHOLE:
                return None, strings
        if not below:
            return len(strings), strings
        level = below
    return None, strings


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


def _breaks_off(text: str, message: str, position: int) -> bool:
    """Whether a syntax error is that the text ends too early."""
    rest = text[position:].rstrip()
    if not rest or message.startswith("Unterminated string"):
        return True
    if message.startswith("Invalid \\"):
        return _PART_OF_AN_ESCAPE.fullmatch(rest) is not None
    if _PART_OF_A_NUMBER.fullmatch(rest):
        return True
    return any(word.startswith(rest) for word in ("true", "false", "null"))


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
