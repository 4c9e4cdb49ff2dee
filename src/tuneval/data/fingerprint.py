"""One hash for a whole set."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

from tuneval import files
from tuneval.data.example import Item, canonical_json
from tuneval.data.origin import is_plain_path
from tuneval.data.read import read_items


def set_hash(location: files.Location) -> str:
    """SHA-256 of what a set holds, 64 hex digits: of a plain file its bytes, else its items."""
    if is_plain_path(location) and os.path.isfile(location):
        return files.sha256_file(location)
    digest = hashlib.sha256()
    for item in read_items(location):
        marks = canonical_json([item.id, item.group, item.tags])
        digest.update(marks.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()


def data_hash(examples: Iterable[Item]) -> str:
    """SHA-256 over the ids in their order, 64 hex digits, wherever the examples lie."""
    running = RunningHash()
    for example in examples:
        running.add(example)
    return running.hexdigest()


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
