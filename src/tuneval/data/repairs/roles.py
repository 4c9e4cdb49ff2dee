"""Another name for a role, or one misspelt, as the role that is meant."""

from __future__ import annotations

from typing import Any

from tuneval.data.draft import Draft
from tuneval.data.example import ROLES
from tuneval.data.finding import Finding
from tuneval.data.repairs.place import steps_of, value_at, with_value
from tuneval.data.rules.roles import OTHER_NAMES

_IN_SHAREGPT = {"user": "human", "assistant": "gpt", "system": "system", "tool": "observation"}


def canonical_role(value: dict[str, Any], draft: Draft, finding: Finding) -> dict[str, Any] | None:
    """The record with the role at the finding's place as the format writes it."""
    steps = steps_of(finding.path)
    written = value_at(value, steps)
    meant = role_meant(written) if isinstance(written, str) else None
    if meant is None:
        return None
    role = _IN_SHAREGPT[meant] if steps[-1] == "from" else meant
    made: dict[str, Any] = with_value(value, steps, role)
    return None if role == written else made


def role_meant(written: str) -> str | None:
    """The role, or None where two could be meant, or none.

    A misspelt one has one letter too many, too few, wrong, or two of them swapped; in a name of
    six letters or more this may have happened twice.
    """
    plain = written.strip().lower()
    if plain in ROLES:
        return plain
    if plain in OTHER_NAMES:
        return OTHER_NAMES[plain]
    near = [role for role in ROLES if _slips(plain, role) <= (2 if len(role) >= 6 else 1)]
    return near[0] if len(near) == 1 and len(plain) >= 3 else None


def _slips(first: str, second: str) -> int:
    """Letters added, left out, changed or swapped (optimal string alignment distance)."""
    n_first, n_second = len(first), len(second)
    if abs(n_first - n_second) > 2:
        return 3
    costs = {(i, 0): i for i in range(n_first + 1)} | {(0, j): j for j in range(n_second + 1)}
    for i in range(1, n_first + 1):
        for j in range(1, n_second + 1):
            change = costs[i - 1, j - 1] + (first[i - 1] != second[j - 1])
            costs[i, j] = min(costs[i - 1, j] + 1, costs[i, j - 1] + 1, change)
            if i > 1 and j > 1 and first[i - 2 : i] == second[j - 2 : j][::-1]:
                costs[i, j] = min(costs[i, j], costs[i - 2, j - 2] + 1)
    return costs[n_first, n_second]
