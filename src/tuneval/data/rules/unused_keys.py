"""Nothing is dropped in silence: keys that the format has no use for are named once."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding, clip
from tuneval.data.rule import Rule


class UnusedKeys(Rule):
    """unused_keys.not_read"""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first: dict[str, Draft] = {}

    def see(self, draft: Draft) -> tuple[()]:
        """Count."""
        for key in dict.fromkeys(draft.unused_keys):
            self._counts[key] = self._counts.get(key, 0) + 1
            self._first.setdefault(key, draft)
        return ()

    def finish(self) -> Iterator[Finding]:
        """One info for each key, at the record where it first stands."""
        for key, count in self._counts.items():
            yield self._first[key].finding(
                "unused_keys.not_read",
                f"The key {clip(key)} is not used (records with it: {count}, this the first).",
                mend="put what you need into 'tags', else leave it",
                path=key,
                severity="info",
            )
