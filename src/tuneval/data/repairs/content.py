"""Characters that nobody sees, and text that was once decoded wrongly."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding
from tuneval.data.repairs.place import Step, steps_of, value_at, with_value

# Tab and line breaks are text. What U+0080 to U+009F stood for cannot be told.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# A space of no width has work to do between the words of Thai or Khmer, not in these scripts.
# Joiners (U+200C, U+200D) stay: emoji, Persian and the scripts of India need them; so do the
# marks of direction.
_NO_WIDTH = re.compile(
    "[\u2060\ufeff]"
    "|(?:(?<=[\x00-\u024f\u2010-\u2027\u3000-\u9fff\uff01-\uff60])|\\A)\u200b+"
    "(?=[\x00-\u024f\u2010-\u2027\u3000-\u9fff\uff01-\uff60]|\\Z)"
)


def remove_control_characters(
    value: dict[str, Any], draft: Draft, finding: Finding
) -> dict[str, Any] | None:
    """The record without control characters at the finding's place."""
    return _changed(value, finding.path, lambda text: _CONTROL.sub("", text))


def remove_no_width(value: dict[str, Any], draft: Draft, finding: Finding) -> dict[str, Any] | None:
    """The record without characters of no width at the finding's place."""
    return _changed(value, finding.path, lambda text: _NO_WIDTH.sub("", text))


def decode_again(value: dict[str, Any], draft: Draft, finding: Finding) -> dict[str, Any] | None:
    """The record with UTF-8 that was read as Latin-1 or Windows-1252 as it was meant.

    Only where the whole text at the place turns into bytes and these are strictly UTF-8.
    """
    return _changed(value, finding.path, as_meant)


def as_meant(text: str) -> str:
    """The text decoded once more, or as it is where that cannot be."""
    try:
        return b"".join(map(_byte, text)).decode("utf-8")
    except ValueError:
        return text


def _byte(character: str) -> bytes:
    """The byte behind a character. Windows-1252 leaves five undefined: those are as in Latin-1."""
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return character.encode("latin-1")


def _changed(
    value: dict[str, Any], path: str, change: Callable[[str], str]
) -> dict[str, Any] | None:
    made = value
    for steps in _places(path):
        text = value_at(made, steps)
        if isinstance(text, str) and (changed := change(text)) != text:
            made = with_value(made, steps, changed)
    return None if made is value else made


def _places(path: str) -> list[list[Step]]:
    """The place, and the other half of a turn that a format makes of two keys."""
    places = [steps_of(path)]
    return [*places, ["input"]] if path == "instruction" else places
