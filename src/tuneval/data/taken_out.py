"""What was taken out of a set: the file beside the new one, and how the old bytes stand in it."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import Any

from tuneval import files
from tuneval.data.data_files import ending_of, packing_of_name


def rejects_file(target: files.Location) -> str:
    """Where what `target` leaves out is written: `mine.rejects.jsonl` beside `mine.json.gz`."""
    name = str(target)
    if packing_of_name(name):
        name = os.path.splitext(name)[0]
    if ending_of(name):
        name = os.path.splitext(name)[0]
    return f"{name}.rejects.jsonl"


def original(content: bytes) -> dict[str, str]:
    """`{"original": text}` where the bytes are UTF-8, else `{"original_base64": …}`."""
    try:
        return {"original": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"original_base64": base64.b64encode(content).decode("ascii")}


def original_of(row: Mapping[str, Any]) -> bytes:
    """The bytes that stood in the source, from a row of a file of rejects."""
    if "original_base64" in row:
        return base64.b64decode(row["original_base64"])
    return str(row["original"]).encode("utf-8")
