"""The LLaMA-Factory registry file, read as it is."""

from __future__ import annotations

from tuneval.data.origin import Origin


def registry_origin(path: str, entry: str) -> Origin:
    """An entry of the registry at `path`."""
    raise NotImplementedError
