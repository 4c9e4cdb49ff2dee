"""One hash for a tokenizer: two with the same hash cut every text alike."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def tokenizer_hash(tokenizer: Any) -> str:
    """16 hex digits over all that decides its ids: vocabulary, merges, normaliser, added tokens."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        content = backend.to_str()
    else:
        content = json.dumps([tokenizer.get_vocab(), repr(tokenizer)], sort_keys=True)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
