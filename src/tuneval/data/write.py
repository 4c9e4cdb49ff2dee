"""Examples into a file that `read` gives back as they were."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tuneval import files
from tuneval.data.example import Example, Message


def write_messages(path: files.Location, examples: Iterable[Example]) -> None:
    """Write JSON lines in the messages format, whole or not at all. StorageError when it fails."""
    files.write_jsonl(path, (as_row(example) for example in examples))


def as_row(example: Example) -> dict[str, Any]:
    """An example as a record of the messages format."""
    row: dict[str, Any] = {"messages": [_as_message(message) for message in example.messages]}
    if example.group is not None:
        row["group"] = example.group
    if example.tags:
        row["tags"] = dict(example.tags)
    return row


def _as_message(message: Message) -> dict[str, Any]:
    row: dict[str, Any] = {"role": message.role, "content": message.content}
    return row if message.train is None else row | {"train": message.train}
