"""One hash for a whole set of examples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tuneval.data.example import Example


def data_hash(examples: Iterable[Example]) -> str:
    """SHA-256 over the ids in their order, 64 hex digits, wherever the examples lie."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(example.id.encode("ascii") + b"\n")
    return digest.hexdigest()
