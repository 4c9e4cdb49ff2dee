"""A system turn that says nothing is left out."""

from __future__ import annotations

from typing import Any

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding
from tuneval.data.repairs.place import steps_of, without


def remove_empty_system(
    value: dict[str, Any], draft: Draft, finding: Finding
) -> dict[str, Any] | None:
    """The record without the system turn at the finding's place; None for another turn."""
    turn = next((turn for turn in draft.turns if turn.path == finding.path), None)
    if turn is None or turn.role != "system" or (turn.content or "").strip():
        return None
    steps = steps_of(turn.path)
    # A turn of a list goes as a whole, from `messages[0].content`; else only the key `system`.
    whole = steps[:-1] if len(steps) > 1 and isinstance(steps[-2], int) else steps
    made: dict[str, Any] = without(value, whole)
    return made
