"""Texts that were damaged before they came into this file."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding
from tuneval.data.rule import Rule

_REPLACEMENT = "\ufffd"


class Encoding(Rule):
    """encoding.replacement_character"""

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One warning for each turn that holds U+FFFD."""
        for turn in draft.turns:
            if turn.content is None or _REPLACEMENT not in turn.content:
                continue
            at = turn.content.index(_REPLACEMENT)
            around = turn.content[max(0, at - 12) : at + 12]
            yield draft.finding(
                "encoding.replacement_character",
                f"{turn.path} holds U+FFFD ({turn.content.count(_REPLACEMENT)} times), the sign "
                f"of text once decoded wrongly: {around!r}.",
                mend="take the text from its source again",
                path=turn.path,
                severity="warning",
            )
