"""The records of a set that is to be fixed, with what they came from, whatever its container."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO, Literal

from tuneval import files
from tuneval.data.containers import records
from tuneval.data.containers.choose import Choice, choose, misnamed
from tuneval.data.containers.json_array import array_records
from tuneval.data.containers.json_lines import LineReader
from tuneval.data.containers.packed import Packing, Unpacked, packing_of
from tuneval.data.data_files import look_into, packing_of_name
from tuneval.data.finding import Finding
from tuneval.data.origin import Origin, is_plain_path
from tuneval.data.record import Record
from tuneval.data.repairs.encodings import as_utf8, is_gb18030, is_utf8, restored, wide_codec
from tuneval.data.repairs.found import Done, How, between, found_of
from tuneval.data.repairs.lines import Lines, to_utf8
from tuneval.data.repairs.texts import text_repaired
from tuneval.data.sniff import BOM, refusal

_HEAD_BYTES = 65536
_START_BYTES = 16
_SPACE = b" \t\r\n"


class Reading:
    """Reads a set that is to be fixed.

    The records of `origin` are Found, and what stands between lines is Between. From the time
    when `passes` is set, a line for which it is true counts as sound.
    """

    def __init__(self, found: Origin, how: How) -> None:
        self.origin = replace(found, records=self._records)
        self.passes: Callable[[bytes], bool] | None = None
        self._found = found
        self._how = how

    def _records(self) -> Iterator[Record | Finding]:
        found = self._found
        if _is_folder(found.name):
            for file in look_into(found.name).data:
                yield from self._of_file(file, partial(records, file))
        elif found.file is not None:
            yield from self._of_file(found.file, found.records)
        else:
            yield from _elements(found.records(), self._how, None)

    def _of_file(
        self, file: str, otherwise: Callable[[], Iterator[Record | Finding]]
    ) -> Iterator[Record | Finding]:
        """A JSON text in pieces, what is none in the usual way."""
        look = _look(file, self._how)
        if look is None:
            yield from _elements(otherwise(), self._how, None)
            return
        with _open(file) as opened:
            stream = opened.text(look.codec)
            if look.shape == "lines":
                yield from Lines(file, self._how, look.codec, self._is_sound).records(stream)
            else:
                yield from _opening_bracket(file, look)
                yield from _elements(_array(file, stream), self._how, look.codec)
            if opened.fault is not None:
                yield opened.fault

    def _is_sound(self, line: bytes) -> bool:
        return self.passes is not None and self.passes(line)


def _elements(
    items: Iterable[Record | Finding], how: How, codec: str | None
) -> Iterator[Record | Finding]:
    """Records of any container. What stands between the elements of an array is not data."""
    for item in items:
        if isinstance(item, Finding):
            yield item
            continue
        original = restored(item.raw, codec) if codec else item.raw
        done = () if original == item.raw else (to_utf8(codec or ""),)
        record, more = _text_repaired(item) if how == "repair" else (item, ())
        yield found_of(record, original, None, *done, *more)


def _text_repaired(record: Record) -> tuple[Record, tuple[Done, ...]]:
    """The record, if it is one of JSON that has flaws, with its text repaired."""
    if not record.findings or not record.raw.lstrip(_SPACE).startswith(b"{"):
        return record, ()
    try:
        text = record.raw.decode("utf-8")
    except UnicodeDecodeError:
        return record, ()
    reader = LineReader(record.source.file)
    return text_repaired(text, record, lambda content: reader.record(record.source, content, 0))


def _is_folder(name: str) -> bool:
    return (is_plain_path(name) or files.is_url(name)) and files.is_folder(name)


@dataclass(frozen=True, slots=True)
class _Look:
    """How the records of a JSON text lie, and its encoding, when that is one to be repaired."""

    choice: Choice
    codec: str | None

    @property
    def shape(self) -> Literal["lines", "array"]:
        """Lines, or the elements of an array."""
        return "array" if self.choice.kind == "json array" else "lines"


def _look(file: str, how: How) -> _Look | None:
    """None for what is no JSON text."""
    with _open(file) as opened:
        codec = wide_codec(opened.text().read(4)) if how == "repair" else None
    with _open(file) as opened:
        head = opened.text(codec).read(_HEAD_BYTES)
    choice = choose(file, head)
    if refusal(file, head) is not None or choice.kind not in ("json lines", "json array"):
        return None
    if codec is None and how == "repair" and _is_gb18030(file):
        codec = "gb18030"
    return _Look(choice, codec)


def _is_gb18030(file: str) -> bool:
    with _open(file) as opened:
        if is_utf8(opened.text()):
            return False
    with _open(file) as opened:
        return is_gb18030(opened.text())


def _opening_bracket(file: str, look: _Look) -> Iterator[Finding]:
    """The sign of an array, where the file's name promises lines."""
    said = misnamed(file, look.choice, packing_of_name(file))
    if said is not None and said.rule == "file.array_not_jsonl":
        original = restored(b"[", look.codec) if look.codec else b"["
        yield between(said, 1, original, None)


def _array(file: str, stream: BinaryIO) -> Iterator[Record | Finding]:
    head = stream.read(_HEAD_BYTES)
    content = head.removeprefix(BOM)
    return array_records(file, content, stream, n_bytes_before=len(head) - len(content))


class _Opened:
    """A file's bytes, unpacked if they are packed."""

    def __init__(self, file: str, stream: BinaryIO, packing: Packing | None) -> None:
        self._unpacked = None if packing is None else Unpacked(file, stream, packing)
        self._stream = stream if self._unpacked is None else self._unpacked.buffered()

    @property
    def fault(self) -> Finding | None:
        """Why not everything could be unpacked."""
        return None if self._unpacked is None else self._unpacked.fault

    def text(self, codec: str | None = None) -> BinaryIO:
        """The text as it stands, or as UTF-8 of another encoding."""
        return self._stream if codec is None else as_utf8(self._stream, codec)


@contextmanager
def _open(file: str) -> Iterator[_Opened]:
    with files.open_bytes(file) as stream:
        packing = packing_of(stream.read(_START_BYTES))
    with files.open_bytes(file) as stream:
        yield _Opened(file, stream, packing)
