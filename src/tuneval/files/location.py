"""What names a file: a local path, or an address."""

from __future__ import annotations

import os

Location = str | os.PathLike[str]
_PATTERN_MARKS = ("*", "?", "[")


def is_url(path: Location) -> bool:
    """Whether `path` is an address that fsspec opens rather than a local path."""
    return "://" in os.fspath(path)


def is_pattern(path: Location) -> bool:
    """Whether an address stands for several, as in a shell: `s3://bucket/*.jsonl`."""
    scheme, mark, place = os.fspath(path).rpartition("://")
    is_web = scheme in ("http", "https")  # there a question mark begins a query
    return bool(mark) and not is_web and any(mark in place for mark in _PATTERN_MARKS)
