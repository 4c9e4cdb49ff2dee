"""What a repair is: a row of REPAIRS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding

TextRepair = Callable[[str], str | None]
ValueRepair = Callable[[dict[str, Any], Draft, Finding], dict[str, Any] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A repair's name, as the rejects file has it, and what it does, in words.

    One of the file is done while the file is cut into records. `text` changes a record that
    cannot be read, `value` one that can: given the value, the draft that was made of it and the
    finding, it gives the mended value. None says that this cannot be mended here. One that
    `moves` changes where other things stand.
    """

    name: str
    about: str
    text: TextRepair | None = None
    value: ValueRepair | None = None
    moves: bool = False


def in_file(name: str, about: str) -> Repair:
    """A repair that is done while the file is cut into records."""
    return Repair(name=name, about=about)


def in_text(name: str, about: str, repair: TextRepair) -> Repair:
    """A repair of a record's text."""
    return Repair(name=name, about=about, text=repair)


def in_value(name: str, about: str, repair: ValueRepair, *, moves: bool = False) -> Repair:
    """A repair of a record that was read."""
    return Repair(name=name, about=about, value=repair, moves=moves)
