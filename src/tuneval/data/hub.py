"""Sets by name, from the hub."""

from __future__ import annotations

from tuneval.data.origin import Origin


def hub_origin(name: str) -> Origin:
    """The set of that name."""
    raise NotImplementedError
