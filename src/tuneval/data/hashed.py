"""64 bits for a value: enough to tell a few million records apart, and little to keep."""

from __future__ import annotations

import hashlib
from typing import Any

from tuneval.data.example import canonical_json


def hashed(value: Any) -> int:
    """The same for equal JSON values, on every machine; 0 for None, and for nothing else."""
    if value is None:
        return 0
    text = canonical_json(value).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") or 1
