"""The same record twice, and the same question answered differently."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.duplicates import Repeats, compared
from tuneval.data.example import Item, UnpairedPreference
from tuneval.data.finding import Finding, clip
from tuneval.data.likeness.places import Places
from tuneval.data.likeness.shelf import Shelf
from tuneval.data.rule import Rule, WholeFileRule

_SHOWN = 50


class Duplicates(WholeFileRule):
    """duplicates.exact, duplicates.conflicting_answers

    Remembers 40 bytes of each record, and the beginning of its answer on a `Shelf`.
    """

    def __init__(self) -> None:
        self._repeats = Repeats()
        self._places = Places()
        self._answers = Shelf()

    def see(self, draft: Draft) -> tuple[()]:
        """Remember a record that can be used."""
        if (item := draft.item) is not None:
            self._repeats.add(item)
            self._places.add(item.source)
            self._answers.add((_answer(item)[: _SHOWN + 1],))
        return ()

    def merge(self, later: Rule) -> None:
        """The later part's records follow."""
        assert isinstance(later, Duplicates)
        self._repeats.merge(later._repeats)
        self._places.merge(later._places)
        self._answers.extend(later._answers)

    def finish(self) -> Iterator[Finding]:
        """A warning at the later record of each pair; it names the first."""
        for first, later in self._repeats.copies():
            yield self._warning(
                "duplicates.exact",
                later,
                f"This is the same as in {self._places.named(first, beside=later)}.",
                "remove one of them, unless it is meant to weigh more"
                if self._repeats.share_a_group(first, later)
                else "give both the same group, or remove one: a split may part them",
            )
        conflicts = self._repeats.conflicts()
        shown = self._answers.take_pairs(conflicts, lambda texts: clip(texts[0], _SHOWN))
        for (first, later), (there, here) in zip(conflicts, shown, strict=True):
            yield self._warning(
                "duplicates.conflicting_answers",
                later,
                f"The same question as in {self._places.named(first, beside=later)} is answered "
                f"otherwise: {here}, there {there}.",
                "decide which answer is right, if only one can be",
            )

    def _warning(self, rule: str, number: int, what: str, mend: str) -> Finding:
        return Finding(
            rule=rule,
            severity="warning",
            where=str(self._places[number]),
            example_id=self._repeats.item_id(number),
            what=what,
            mend=mend,
        )


def _answer(item: Item) -> str:
    if isinstance(item, UnpairedPreference):
        return "desired" if item.label else "not desired"
    return "".join(compared(item)[1:2])
