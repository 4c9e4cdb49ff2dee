"""Bytes as they stood in a file, inside JSON: as text where they are UTF-8, else in base64."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any


def original(content: bytes) -> dict[str, str]:
    """`{"original": text}` or `{"original_base64": …}`."""
    try:
        return {"original": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"original_base64": base64.b64encode(content).decode("ascii")}


def original_of(row: Mapping[str, Any]) -> bytes:
    """The bytes that stood in the source, from a row of a file of rejects."""
    if "original_base64" in row:
        return base64.b64decode(row["original_base64"])
    return str(row["original"]).encode("utf-8")
