"""A repaired record as text."""

from __future__ import annotations

import json
from typing import Any


def written(value: Any) -> str:
    """JSON on one line, keys in the given order, Chinese left as it is.

    Halves of surrogate pairs can only be written as escapes.
    """
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value)
    return text
