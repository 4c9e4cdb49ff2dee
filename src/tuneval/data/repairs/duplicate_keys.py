"""A key that stands twice in one object with the same value stands there once."""

from __future__ import annotations

import json
from typing import Any

from tuneval import files


class _ConflictError(ValueError):
    """The two values differ: nobody can tell which one is meant."""


def merge_equal_keys(text: str) -> str | None:
    """The record with such keys once; None when two values of a key differ."""
    try:
        value = json.loads(text, object_pairs_hook=_merged)
    except (ValueError, RecursionError):
        return None
    return files.json_bytes(value).decode("utf-8")


def _merged(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        # As text: to Python, 1 and true are equal.
        if key in made and json.dumps(made[key]) != json.dumps(value):
            raise _ConflictError
        made[key] = value
    return made
