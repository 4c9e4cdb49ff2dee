"""Conversations that differ only in a few characters."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.duplicates import near_duplicates, question
from tuneval.data.example import Example
from tuneval.data.finding import Finding, clip
from tuneval.data.rule import Rule


class NearDuplicates(Rule):
    """near_duplicates.pair"""

    def __init__(self) -> None:
        self._examples: list[Example] = []

    def see(self, draft: Draft) -> tuple[()]:
        """Collect."""
        if draft.example is not None:
            self._examples.append(draft.example)
        return ()

    def finish(self) -> Iterator[Finding]:
        """A warning at each record that is much like an earlier one; it names the earliest."""
        for pair in near_duplicates(self._examples, keep="first"):
            yield Finding(
                rule="near_duplicates.pair",
                severity="warning",
                where=str(pair.second.source),
                example_id=pair.second.id,
                what=f"This is nearly the same as line {pair.first.source.line} (similarity "
                f"{pair.similarity:.2f}): {clip(question(pair.second), 50)}, "
                f"there {clip(question(pair.first), 50)}.",
                mend="keep one of them, or give both the same 'group' so that a split "
                "keeps them together",
            )
