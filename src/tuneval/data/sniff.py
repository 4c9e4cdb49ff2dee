"""What a file is, from its name and first bytes, before anything is read as data."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

from tuneval import files
from tuneval.data.data_files import ENDINGS, is_data_file, look_into
from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.record import finding_at
from tuneval.errors import UsageError

_CHINESE = re.compile("[\u4e00-\u9fff]{2}")
BOM = b"\xef\xbb\xbf"
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
    b"PK\x03\x04": ("zip (or a spreadsheet)", "unpack it, or save the sheet as CSV"),
    b"%PDF": ("PDF", "give the text as JSON lines"),
    b"7z\xbc\xaf\x27\x1c": ("7-Zip", "unpack it first: 7z x {file}"),
    b"Rar!\x1a\x07": ("RAR", "unpack it first"),
    b"SQLite format 3\x00": ("an SQLite database", "write the table as CSV"),
    b"\x89HDF\r\n\x1a\n": ("HDF5", "write it as Parquet or JSON lines"),
    b"FEA1": ("Feather version 1", "write it as Feather version 2 or Parquet"),
    b"\xd0\xcf\x11\xe0": ("an old Office document", "save the sheet as CSV"),
}
_TAR_PLACE, _TAR = 257, b"ustar"
_PACKED_TABLES = (b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")  # they may hold any bytes
_WIDE_SAMPLE_BYTES = 4096


def refuse_what_is_no_file(path: files.Location) -> None:
    """Raise UsageError, with near names, when there is no such file, folder or address.

    Also when a folder or prefix holds no data file.
    """
    if files.is_folder(path):
        _refuse_without_data(path)
    elif files.is_url(path):
        if not files.exists(path):
            raise _nothing_there(path)
    elif not (place := Path(path)).exists():
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
    if head.startswith(_TAR, _TAR_PLACE):
        what = "The file is a tar archive, not one file of data."
        return finding_at(source, "file.not_text", what, mend=f"unpack it first: tar -xf {file}")
    for table in (_WIDE_BOMS, _WIDE_STARTS):
        for start, encoding in table.items():
            if head.startswith(start):
                return _wide(source, encoding)
    likely = _likely_wide(head)
    return None if likely is None else _wide(source, likely)


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


def _likely_wide(head: bytes) -> str | None:
    """UTF-16 without a mark, when nearly every other byte of what is no table is zero."""
    if head.startswith(_PACKED_TABLES):
        return None
    sample = head[:_WIDE_SAMPLE_BYTES]
    n_even, n_odd = sample[::2].count(0), sample[1::2].count(0)
    if n_even + n_odd < len(sample) * 0.3 or min(n_even, n_odd) > 0:
        return None
    return "UTF-16LE" if n_odd else "UTF-16BE"


def _refuse_without_data(folder: files.Location) -> None:
    found = look_into(folder)
    if found.data:
        return
    there = f"; there are {', '.join(found.left_out[:5])}" if found.left_out else ""
    what = "No file fits" if files.is_pattern(folder) else "There is no data file in"
    raise UsageError(
        f"{what} {folder}.",
        where=str(folder),
        mend=f"data files end in {', '.join(ENDINGS)}{there}",
    )


def _nothing_there(path: files.Location) -> UsageError:
    bucket = files.missing_bucket(path)
    if bucket is not None:
        what, mend = f"There is no bucket {bucket}.", "check its name, and the server's address"
        return UsageError(what, where=str(path), mend=mend)
    return UsageError(f"There is no file {path}.", where=str(path), mend="check the address")


def _data_files(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if is_data_file(name))
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
    return "check the name; no data file lies in that folder"
