"""Records that hold what a model shall be evaluated on.

Not a row of RULES: which sets to look for is for the caller to say, so an object is given to
`check(…, and_rules=[Contamination(["gsm8k/test.jsonl"])])`. With the held-out side of a split
as the set it finds what stands on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tuneval import files
from tuneval.data.contamination import EXTENTS, SHARE, SIGNS, WORDS, Extent, Index, Overlap
from tuneval.data.draft import Draft, Turn
from tuneval.data.finding import Finding, Severity, clip
from tuneval.data.likeness.near_texts import BATCH_CHARACTERS
from tuneval.data.likeness.shingles import LONGEST_TEXT
from tuneval.data.likeness.units import units
from tuneval.data.rule import Rule
from tuneval.errors import UsageError

_FEWEST = 5
_OVERLAP = 10_000  # characters, more than an n-gram has
_KINDS: dict[Extent, tuple[str, Severity, str]] = {
    "equal": ("exact", "error", "This is an evaluation item"),
    "whole": ("contained", "error", "An evaluation item stands here whole"),
    "answer": ("answer", "warning", "The answer of an evaluation item stands here whole"),
    "part": ("ngram", "warning", "A part of an evaluation item ({share:.0%}) stands here"),
    "near": ("near", "warning", "This is nearly an evaluation item (similarity {share:.2f})"),
}
_MENDS: dict[Severity, str] = {
    "error": "remove the record, or leave the item out of the evaluation",
    "warning": "compare the two; remove the record if it gives the item away",
}


class Contamination(Rule):
    """contamination.exact, contamination.contained: it spoils the evaluation, so an error

    contamination.answer, contamination.ngram, contamination.near: it may, so a warning
    contamination.summary: how many items of each evaluation set were found
    """

    def __init__(
        self,
        sets: Sequence[files.Location],
        *,
        words: int = WORDS,
        signs: int = SIGNS,
        share: float = SHARE,
    ) -> None:
        """`sets` are any that we read, and benchmarks' files of any keys (see `origin`).

        An n-gram has that many words, or signs where a script puts no spaces between words; a
        text of which less than `share` is found counts as not found. UsageError or DataError
        when a set cannot be read.
        """
        if not sets or min(words, signs) < _FEWEST:
            raise UsageError(
                f"No evaluation set is named, or n-grams of fewer than {_FEWEST} units.",
                mend="name the sets that a model shall be evaluated on, and n-grams of 8 or more",
            )
        self._index: Index | None = Index(sets, words=words, signs=signs, share=share)
        self._sizes = self._index.sizes
        self._found = np.zeros(self._index.n_items, dtype=np.uint8)  # 1 + the place in EXTENTS
        self._has_seen = False
        self._waiting: list[tuple[Draft, Turn]] = []
        self._n_waiting = 0
        self._near: list[Finding] = []

    def anew(self) -> Contamination:
        """One that has seen nothing, with the same index. Once it has, it is pickled without."""
        part = Contamination.__new__(Contamination)
        part.__dict__ |= self.__dict__
        part._found = np.zeros_like(self._found)
        part._waiting, part._n_waiting, part._near = [], 0, []
        part._has_seen = False
        return part

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One finding at a record that has texts in common with evaluation items.

        Where it has none, `finish` tells whether it is near one: that is found in batches.
        """
        assert self._index is not None
        self._has_seen = True
        turns = [turn for turn in draft.turns if turn.content]
        turns.sort(key=lambda turn: turn.role == "system")  # looked at, but no part of the whole
        n_whole = sum(turn.role != "system" for turn in turns)
        overlaps: list[tuple[Overlap, Turn]] = []
        for some, texts in _portions(turns):
            found = units(*texts)
            for overlap in self._index.look_up(found, n_whole if len(texts) == len(turns) else 0):
                place = int(found.bounds.searchsorted(overlap.start, side="right")) - 1
                overlaps.append((overlap, some[place]))
        if overlaps:
            self._note(overlap for overlap, _ in overlaps)
            yield _finding(draft, overlaps)
            return
        for turn in turns[:n_whole]:
            if turn.role != "assistant":
                self._waiting.append((draft, turn))
                self._n_waiting += len(turn.content or "")
        if self._n_waiting >= BATCH_CHARACTERS:
            self._look_for_near()

    def merge(self, later: Rule) -> None:
        """An item is found that was found in either part."""
        assert isinstance(later, Contamination)
        self._look_for_near()
        later._look_for_near()
        self._found = np.maximum(self._found, later._found)
        self._near += later._near

    def finish(self) -> Iterator[Finding]:
        """A warning at each record that is near an item, and an info for each evaluation set."""
        self._look_for_near()
        yield from self._near
        begin = 0
        for size in self._sizes:
            found = self._found[begin : begin + size.n_items]
            begin += size.n_items
            n_whole = int((found > 1 + EXTENTS.index("answer")).sum())
            short = f"; {size.n_too_short} are too short to be looked for"
            yield Finding(
                rule="contamination.summary",
                severity="info",
                where=size.name,
                what=f"Of its {size.n_items} items {np.count_nonzero(found)} were found, {n_whole} "
                f"of them whole{short if size.n_too_short else ''}.",
                mend="evaluate without those, or train without the records that are named",
            )

    def _note(self, overlaps: Iterable[Overlap]) -> None:
        for overlap in overlaps:
            rank = 1 + EXTENTS.index(overlap.extent)
            self._found[overlap.item] = max(self._found[overlap.item], rank)

    def _look_for_near(self) -> None:
        waiting, self._waiting, self._n_waiting = self._waiting, [], 0
        if not waiting:
            return
        assert self._index is not None
        for place, overlap in self._index.look_up_near([t.content or "" for _, t in waiting]):
            draft, turn = waiting[place]
            self._note([overlap])
            self._near.append(_finding(draft, [(overlap, turn)]))

    def __getstate__(self) -> dict[str, Any]:
        self._look_for_near()
        return self.__dict__ | ({"_index": None} if self._has_seen else {})


def _portions(turns: Sequence[Turn]) -> Iterator[tuple[list[Turn], list[str]]]:
    """The turns' texts, all together unless they are very long; then with some overlap."""
    some: list[Turn] = []
    texts: list[str] = []
    n_characters = 0
    for turn in turns:
        content = turn.content or ""
        for start in range(0, len(content), LONGEST_TEXT):
            if n_characters and n_characters + len(content) - start > LONGEST_TEXT:
                yield some, texts
                some, texts, n_characters = [], [], 0
            some.append(turn)
            texts.append(content[max(0, start - _OVERLAP) : start + LONGEST_TEXT])
            n_characters += len(texts[-1])
    if texts:
        yield some, texts


def _finding(draft: Draft, overlaps: Sequence[tuple[Overlap, Turn]]) -> Finding:
    best, turn = max(overlaps, key=lambda found: (EXTENTS.index(found[0].extent), found[0].share))
    n_more = len({overlap.item for overlap, _ in overlaps}) - 1
    kind, severity, what = _KINDS[best.extent]
    more = f" {n_more} more item{'s' * (n_more > 1)} of the evaluation sets stand here too."
    return draft.finding(
        f"contamination.{kind}",
        f"{what.format(share=best.share)}, {best.source} ({best.path}): {clip(best.stretch, 80)}."
        + (more if n_more else ""),
        mend=_MENDS[severity],
        path=turn.path,
        severity=severity,
    )
