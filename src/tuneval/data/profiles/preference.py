"""preference: pairs for DPO and reward models."""

from __future__ import annotations

from tuneval.data.profile import Profile

PREFERENCE = Profile(
    name="preference",
    about="Pairs of a chosen and a rejected answer, for DPO and reward models.",
    formats=("preference",),
    rules=("roles", "order", "empty", "encoding", "preference_pair"),
)
