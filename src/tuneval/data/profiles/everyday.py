"""everyday: every rule that needs nothing but the set itself."""

from __future__ import annotations

from tuneval.data.profile import Profile
from tuneval.data.rules import DEMANDS, RULES

EVERYDAY = Profile(
    name="everyday",
    about="Every rule that needs nothing but the set.",
    rules=tuple(name for name in RULES if name not in DEMANDS),
)
