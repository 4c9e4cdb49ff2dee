"""Roles are system, user, assistant and tool. Reading needs this rule: it refuses any other."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.catalog import did_you_mean
from tuneval.data.draft import Draft
from tuneval.data.example import ROLES
from tuneval.data.finding import Finding, clip
from tuneval.data.rule import Rule

OTHER_NAMES = {
    "human": "user",
    "prompter": "user",
    "customer": "user",
    "gpt": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "developer": "system",
    "function": "tool",
    "observation": "tool",
}


class Roles(Rule):
    """roles.unknown"""

    marks = ()

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One finding for each turn with another role."""
        for turn in draft.turns:
            if turn.role is None or turn.role in ROLES:
                continue
            if turn.role != "text" or draft.kind != "text":
                yield draft.finding(
                    "roles.unknown",
                    f"{turn.role_path} is {clip(turn.role)}; roles are {', '.join(ROLES)}.",
                    mend=_mend(turn.role),
                    path=turn.role_path,
                )


def _mend(role: str) -> str:
    plain = role.strip().lower()
    if plain in ROLES:
        return f"write '{plain}'"
    if plain in OTHER_NAMES:
        return f"write '{OTHER_NAMES[plain]}'"
    return did_you_mean(plain, list(ROLES))
