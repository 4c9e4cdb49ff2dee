"""Items into a file that `read` gives back as they were."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tuneval import files
from tuneval.data.example import Example, Item
from tuneval.data.formats import FORMATS


def write_messages(path: files.Location, examples: Iterable[Example]) -> None:
    """Write JSON lines in the messages format, whole or not at all. StorageError when it fails."""
    files.write_jsonl(path, (as_row(example) for example in examples))


def as_row(item: Item, format: str = "messages") -> dict[str, Any]:
    """An item as a record of a format, group and tags included. Raises CannotHoldError."""
    row: dict[str, Any] = FORMATS.load(format).row(item)
    if item.group is not None:
        row["group"] = item.group
    if item.tags:
        row["tags"] = dict(item.tags)
    return row
