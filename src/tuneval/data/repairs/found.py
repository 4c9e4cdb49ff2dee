"""The records of a file on their way into another one: each knows the bytes it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tuneval.data.finding import Finding
from tuneval.data.record import Record

How = Literal["drop", "repair"]


@dataclass(frozen=True, slots=True)
class Done:
    """A repair that was made, and the finding that asked for it."""

    repair: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found(Record):
    """A record, what it was read from, and what was repaired.

    `raw` is what would be written; `original` is what stands in the file, from the byte `offset`
    on where that is known. One that `is_sound` stays as it is, and its value was not looked at.
    """

    original: bytes = b""
    offset: int | None = None
    done: tuple[Done, ...] = ()
    is_sound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Between(Finding):
    """What stands between two records and is left out: a blank line, a byte order mark."""

    line: int
    original: bytes
    offset: int | None


def found_of(record: Record, original: bytes, offset: int | None, *done: Done) -> Found:
    """The record, with what it came from."""
    source, value, findings, raw = record.source, record.value, record.findings, record.raw
    return Found(source, value, findings, raw, original, offset, done)


def between(finding: Finding, line: int, original: bytes, offset: int | None) -> Between:
    """What is left out, and what is said of it."""
    said = {name: getattr(finding, name) for name in ("rule", "severity", "where", "what", "mend")}
    return Between(**said, line=line, original=original, offset=offset)
