"""Which files hold records, by their names alone."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from tuneval import files

Kind = str  # json lines, json array, csv, text, parquet, arrow

# The names that promise a container. `.json` may be an array or lines: both are written so.
ENDINGS: dict[str, tuple[Kind, ...]] = {
    ".jsonl": ("json lines",),
    ".ndjson": ("json lines",),
    ".json": ("json array", "json lines"),
    ".csv": ("csv",),
    ".tsv": ("csv",),
    ".txt": ("text",),
    ".parquet": ("parquet",),
    ".arrow": ("arrow",),
    ".feather": ("arrow",),
}
PACKED_ENDINGS: dict[str, str] = {
    ".gz": "gzip",
    ".gzip": "gzip",
    ".zst": "zstandard",
    ".zstd": "zstandard",
    ".bz2": "bzip2",
    ".xz": "xz",
}
_SLASHES = "/" + os.sep
# What lies beside data and is named like it: registries, descriptions, other people's terms, and
# what our own commands took out of a set or say of one.
_NO_DATA = re.compile(
    r".*\.rejects\.jsonl|split\.json|"
    r"(selection|scoring)\.json|(scores|measured|rejected)\.jsonl|"
    r"(dataset_infos?|dataset_dict|state|config|package(-lock)?|croissant)\.json"
    r"|(readme|licen[cs]e|notice|copying|changelog|authors|requirements|citation)\b.*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of a folder: those that hold records, and the names of those that do not."""

    data: tuple[str, ...]
    left_out: tuple[str, ...]


def ending_of(name: str) -> str:
    """The ending that tells the container, `.csv` of `a.CSV.gz`; empty when none does."""
    ending = os.path.splitext(_unpacked(name))[1].lower()
    return ending if ending in ENDINGS else ""


def packing_of_name(name: str) -> str | None:
    """What a name says its bytes are packed with: `gzip` of `a.jsonl.gz`."""
    return PACKED_ENDINGS.get(os.path.splitext(name)[1].lower())


def is_data_file(name: str) -> bool:
    """Whether a file of that name (no path) holds records: by its ending, and not hidden."""
    return bool(ending_of(name)) and not name.startswith(".") and not _NO_DATA.fullmatch(name)


def look_into(folder: files.Location) -> Folder:
    """What lies in a folder, a prefix or a pattern of an address, however deep, sorted by name."""
    start = 0 if files.is_pattern(folder) else len(os.fspath(folder).rstrip(_SLASHES))
    found = [(path, path[start:].lstrip(_SLASHES)) for path in files.files_below(folder)]
    data = [path for path, inside in found if _holds_records(inside)]
    left_out = [inside for _, inside in found if inside and not _holds_records(inside)]
    return Folder(tuple(data), tuple(left_out))


def _holds_records(path: str) -> bool:
    """Whether a file at that path inside a folder does, and none of its folders is hidden."""
    *folders, name = re.split(r"[/\\]", path)
    return is_data_file(name) and not any(folder.startswith(".") for folder in folders)


def _unpacked(name: str) -> str:
    """The name without what it says of packing."""
    return os.path.splitext(name)[0] if packing_of_name(name) else name
