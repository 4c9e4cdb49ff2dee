"""A preference prefers: its two answers differ."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.example import Preference
from tuneval.data.finding import Finding
from tuneval.data.rule import Rule


class PreferencePair(Rule):
    """preference_pair.equal"""

    def see(self, draft: Draft) -> Iterator[Finding]:
        """An error where chosen and rejected are the same but for white space."""
        item = draft.item
        if not isinstance(item, Preference):
            return
        chosen, rejected = (
            [(m.role, m.content.split(), m.tool_calls) for m in side]
            for side in (item.chosen, item.rejected)
        )
        if chosen == rejected:
            yield draft.finding(
                "preference_pair.equal",
                "The chosen and the rejected answer are the same: there is nothing to prefer.",
                mend="remove the record, or give the answer that was rejected",
                path="chosen",
            )
