"""What a file is, from its name and first bytes, before anything is read as data."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

from tuneval import files
from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.record import finding_at
from tuneval.errors import UsageError

_CHINESE = re.compile("[\u4e00-\u9fff]{2}")
BOM = b"\xef\xbb\xbf"
_DATA_ENDINGS = (".jsonl", ".json")
_WIDE_BOMS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_WIDE_STARTS = {
    b"{\x00\x00\x00": "UTF-32LE",
    b"[\x00\x00\x00": "UTF-32LE",
    b"\x00\x00\x00{": "UTF-32BE",
    b"\x00\x00\x00[": "UTF-32BE",
    b"{\x00": "UTF-16LE",
    b"[\x00": "UTF-16LE",
    b"\x00{": "UTF-16BE",
    b"\x00[": "UTF-16BE",
}
_MAGIC = {
    b"\x1f\x8b": ("gzip", "unpack it first: gzip -dk {file}"),
    b"\x28\xb5\x2f\xfd": ("Zstandard", "unpack it first: zstd -dk {file}"),
    b"BZh": ("bzip2", "unpack it first: bzip2 -dk {file}"),
    b"\xfd7zXZ": ("xz", "unpack it first: xz -dk {file}"),
    b"PK\x03\x04": ("zip (or a spreadsheet)", "unpack it, or save the sheet as JSON lines"),
    b"PAR1": ("Parquet", "write it as JSON lines"),
    b"ARROW1": ("Arrow", "write it as JSON lines"),
    b"%PDF": ("PDF", "give the text as JSON lines"),
}


def refuse_what_is_no_file(path: files.Location) -> None:
    """Raise UsageError, with near names, when there is no such file or it is a folder."""
    if files.is_url(path):
        if not files.exists(path):
            raise UsageError(f"There is no file {path}.", where=str(path), mend="check the address")
        return
    place = Path(path)
    if place.is_dir():
        names = _data_files(place)
        raise UsageError(
            f"{path} is a folder, not a file.",
            where=str(place.absolute()),
            mend="name a file in it" + (f", such as {place / names[0]}" if names else ""),
        )
    if not place.exists():
        raise UsageError(
            f"There is no file {path}.",
            where=str(place.parent.absolute()),
            mend=_what_is_there_instead(place),
        )


def refusal(file: str, head: bytes) -> Finding | None:
    """Why the whole file cannot be read as UTF-8 text, from its first bytes; or None."""
    source = Source(file, 1)
    if not head:
        return finding_at(source, "file.empty", "The file is empty.", mend="give it records")
    for start, (kind, mend) in _MAGIC.items():
        if head.startswith(start):
            return finding_at(
                source,
                "file.not_text",
                f"The file is {kind}, not text.",
                mend=mend.format(file=file),
            )
    for table in (_WIDE_BOMS, _WIDE_STARTS):
        for start, encoding in table.items():
            if head.startswith(start):
                return _wide(source, encoding)
    return None


def not_utf8(source: Source, record: bytes, offset: int) -> Finding:
    """The finding for a record with bytes that are not UTF-8, the first at `offset` of the file."""
    encoding = _likely_encoding(record)
    guess = f" (it reads as {encoding})" if encoding else ""
    mend = (
        f"convert the file: iconv -f {encoding} -t UTF-8 {source.file} > utf8.jsonl"
        if encoding
        else "save the file as UTF-8, or remove the record"
    )
    what = f"The byte at offset {offset} of the file is not UTF-8{guess}."
    return finding_at(source, "encoding.not_utf8", what, mend=mend)


def _likely_encoding(record: bytes) -> str | None:
    try:
        text = record.decode("gb18030")
    except UnicodeDecodeError:
        return None
    return "GB18030" if _CHINESE.search(text) else None


def _wide(source: Source, encoding: str) -> Finding:
    return finding_at(
        source,
        "encoding.utf16",
        f"The file is {encoding}, not UTF-8.",
        mend=f"convert it: iconv -f {encoding} -t UTF-8 {source.file} > utf8.jsonl",
    )


def _data_files(folder: Path) -> list[str]:
    try:
        return sorted(n for n in os.listdir(folder) if n.lower().endswith(_DATA_ENDINGS))
    except OSError:
        return []


def _what_is_there_instead(place: Path) -> str:
    folder = place.parent
    if not folder.is_dir():
        return f"there is no folder {folder} either; check the path"
    names = sorted(os.listdir(folder)) if os.access(folder, os.R_OK) else []
    near = difflib.get_close_matches(place.name, names, n=3, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(str(folder / name) for name in near) + "?"
    found = _data_files(folder)
    if found:
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        return f"data files there: {', '.join(found[:5])}{more}"
    return "check the name; no .jsonl or .json file lies in that folder"
