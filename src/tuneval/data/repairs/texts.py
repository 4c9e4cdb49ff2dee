"""The repairs of a record's text, before it is understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tuneval.data.record import Record
from tuneval.data.repairs import REPAIRS
from tuneval.data.repairs.found import Done
from tuneval.data.repairs.syntax import on_one_line, split_values

Read = Callable[[bytes], Record]
_SEPARATOR = re.compile(r"[ \t\r\n]*,?[ \t\r\n]*\Z")
_SEVERAL_LINES = Done("one_line_each", "file.pretty_printed", "The record runs over several lines.")
_SEVERAL_VALUES = Done(
    "one_line_each", "json.multiple_values", "Several records stand on one line."
)
_CARRIAGE_RETURN = Done("line_end", "file.crlf", "The line ends with CR LF.")


@dataclass(frozen=True, slots=True)
class Mended:
    """A part of a text, the record that is made of it, and how. `record.raw` is its new line."""

    content: bytes
    record: Record
    done: tuple[Done, ...] = ()


def mended_texts(content: bytes, read: Read) -> Iterator[Mended]:
    """The records of a line, or of an object on several lines; their parts together are it.

    What cannot be repaired comes as it stands, with its findings.
    """
    record = read(content)
    if not record.findings and b"\n" not in content[:-1] and not content.endswith(b"\r\n"):
        yield Mended(content, record)
        return
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        yield Mended(content, record)
        return
    parts = split_values(text) if record.value is None else []
    for part in parts:
        yield _mended(part, _SEPARATOR.sub("", part), read, [_SEVERAL_VALUES])
    if not parts:
        yield _mended(text, text, read, [])


def _mended(content: str, text: str, read: Read, done: list[Done]) -> Mended:
    """Of `content`, that is `text` and perhaps what parts it from the next record."""
    if text.endswith("\r\n"):
        text = text.removesuffix("\r\n") + "\n"
        done.append(_CARRIAGE_RETURN)
    if "\n" in text[:-1]:
        text = on_one_line(text) + "\n"
        done.append(_SEVERAL_LINES)
    if not text.endswith("\n") and content.endswith("\n"):
        text += "\n"
    record, more = text_repaired(text, read(text.encode("utf-8")), read)
    return Mended(content.encode("utf-8"), record, (*done, *more))


def text_repaired(text: str, record: Record, read: Read) -> tuple[Record, tuple[Done, ...]]:
    """The record of a text with every repair that its findings ask for, and these repairs."""
    done: list[Done] = []
    while step := _step(text, record):
        text, more = step
        done.append(more)
        record = read(text.encode("utf-8"))
    return record, tuple(done)


def _step(text: str, record: Record) -> tuple[str, Done] | None:
    for finding in record.findings:
        for repair in REPAIRS.get(finding.rule, ()):
            if repair.text is None:
                continue
            made = repair.text(text)
            if made is not None and made != text:
                return made, Done(repair.name, finding.rule, finding.what)
    return None
