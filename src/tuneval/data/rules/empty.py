"""A turn says something."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding
from tuneval.data.rule import Rule


class Empty(Rule):
    """empty.turn, empty.only_spaces (of a system turn: a warning)"""

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One finding for each turn without a visible character."""
        for turn in draft.turns:
            if turn.content is None or turn.content.strip():
                continue
            kind, how = (
                ("only_spaces", "holds only white space") if turn.content else ("turn", "is empty")
            )
            system = turn.role == "system"
            yield draft.finding(
                f"empty.{kind}",
                f"{turn.path} {how}.",
                mend="remove the turn" if system else "fill it or remove the record",
                path=turn.path,
                severity="warning" if system else "error",
            )
