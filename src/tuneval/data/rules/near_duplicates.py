"""Conversations that differ only in a few characters."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.data.duplicates import near_duplicates, question
from tuneval.data.finding import Finding, clip
from tuneval.data.rule import WholeFileRule


class NearDuplicates(WholeFileRule):
    """near_duplicates.pair"""

    def finish(self) -> Iterator[Finding]:
        """A warning at each record that is much like an earlier one; it names the earliest."""
        for pair in near_duplicates(self.examples, keep="first"):
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
