"""Records that differ only in a few characters."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.duplicates import THRESHOLD, compared, kind
from tuneval.data.finding import Finding, clip
from tuneval.data.likeness.near_texts import NearTexts
from tuneval.data.likeness.places import Places
from tuneval.data.likeness.shelf import Texts
from tuneval.data.rule import Rule, WholeFileRule

_SHOWN = 50


class NearDuplicates(WholeFileRule):
    """near_duplicates.pair

    Remembers about 170 bytes of each record, and its texts on a `Shelf`.
    """

    def __init__(self) -> None:
        self._texts = NearTexts()
        self._places = Places()

    def see(self, draft: Draft) -> tuple[()]:
        """Remember a record that can be used."""
        if (item := draft.item) is not None:
            self._texts.add(compared(item), int(item.id, 16), kind(item))
            self._places.add(item.source)
        return ()

    def merge(self, later: Rule) -> None:
        """The later part's records follow."""
        assert isinstance(later, NearDuplicates)
        self._texts.merge(later._texts)
        self._places.merge(later._places)

    def finish(self) -> Iterator[Finding]:
        """A warning at each record that is much like an earlier one; it names the earliest."""
        found = self._texts.pairs(THRESHOLD, keep="first")
        pairs = list(zip(found.earlier.tolist(), found.later.tolist(), strict=True))
        shown = self._texts.shelf.take_pairs(pairs, _shown)
        for (first, later), similarity, (there, here) in zip(
            pairs, found.similarity.tolist(), shown, strict=True
        ):
            yield Finding(
                rule="near_duplicates.pair",
                severity="warning",
                where=str(self._places[later]),
                example_id=f"{self._texts.keys[later]:016x}",
                what=f"This is nearly the same as {self._places.named(first, beside=later)} "
                f"(similarity {similarity:.2f}): {here}, there {there}.",
                mend="keep one of them, or give both the same 'group' so that a split "
                "keeps them together",
            )


def _shown(texts: Texts) -> str:
    """What is asked, or else what is answered."""
    return clip(next(filter(None, texts), ""), _SHOWN)
