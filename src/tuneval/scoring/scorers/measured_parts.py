"""What the measures of likelihood have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tuneval.scoring.item import ScoringItem
from tuneval.scoring.reasons import Unscored
from tuneval.scoring.scorer import Measured

if TYPE_CHECKING:
    from tuneval.models.likelihood import Nll


def why_not(item: ScoringItem, *, of_response: bool = True) -> Unscored | None:
    """Why the item has no prompt, or no response, to measure; None when it has."""
    if not item.exercises:
        return Unscored("no_response")
    if all(not (e.instruction.strip() or e.input.strip() or e.before) for e in item.exercises):
        return Unscored("empty_prompt")
    if of_response and all(not e.response.strip() for e in item.exercises):
        return Unscored("empty_response")
    return None


def total(measured: Sequence[Measured], name: str, peer: str | None = None) -> Nll:
    """The parts of one name together: over the turns of an example, or of a peer."""
    from tuneval.models.likelihood import Nll

    found = [m.nll for m in measured if m.part.name == name and m.part.peer == peer]
    return Nll(math.fsum(nll.total for nll in found), sum(nll.n_tokens for nll in found))
