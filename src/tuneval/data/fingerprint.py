"""One hash for a whole set."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from typing import Any

from tuneval import files
from tuneval.data.draft import Draft
from tuneval.data.example import Item
from tuneval.data.finding import Finding
from tuneval.data.origin import is_plain_path
from tuneval.data.read import drafts
from tuneval.data.taken_out import original


def set_hash(location: files.Location, format: str = "auto") -> str:
    """SHA-256 of what a set holds, 64 hex digits: of a plain file its bytes, else its records.

    Each record counts as it is understood, a broken one as it stands, so that finding what is
    wrong with a set is left to the check. UsageError when there is no such set or format.
    """
    if is_plain_path(location) and os.path.isfile(location):
        return files.sha256_file(location)
    digest = hashlib.sha256()
    for found in drafts(location, format).items:
        digest.update(files.json_bytes(_content(found), default=str) + b"\n")
    return digest.hexdigest()


def data_hash(examples: Iterable[Item]) -> str:
    """SHA-256 over the ids in their order, 64 hex digits, wherever the examples lie."""
    running = RunningHash()
    for example in examples:
        running.add(example)
    return running.hexdigest()


def _content(found: Draft | Finding) -> list[Any]:
    if isinstance(found, Finding):
        return [found.rule, found.what]
    if (item := found.item) is not None:
        return [item.id, item.group, dict(item.tags)]
    return [found.record.value, original(found.record.raw)]


class RunningHash:
    """The same while the items stream by."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, item: Item) -> None:
        """The next item."""
        self._digest.update(item.id.encode("ascii") + b"\n")

    def hexdigest(self) -> str:
        """The hash of all items so far."""
        return self._digest.hexdigest()
