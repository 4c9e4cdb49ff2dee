"""Texts of evaluation sets, found again in training data.

Looked for are the n-grams of each text: 13 words in a row, as GPT-3's authors did (Brown et al.
2020, appendix C), or 20 signs where there are no spaces between words, since 13 Chinese words
have about as many. A text of 8 to 12 words (12 to 19 signs) is looked for by n-grams of 8 words
(12 signs), and counts only when all of them are there; 8 is the least that GPT-3's authors took.
One of 5 to 7 words (8 to 11 signs) has to be equal to a turn, or a whole record of that length
to a whole record. What is shorter is not looked for. Case, punctuation, spacing and full width
make no difference (see `units`). What says nothing is left out: an n-gram that more than ten
evaluation texts have (a common instruction), one that repeats itself (a row of noughts), and
less than a tenth of a text (a set phrase, the head of a loop in a program).

What none of this finds may still be a near duplicate of a text of the evaluation sets: see
`near_evaluation`. The index takes about 40 bytes for each word of the evaluation sets, and
0.5 kB more for each text.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tuneval import files
from tuneval.data.example import Source
from tuneval.data.likeness.evaluation_sets import EvaluationItem, evaluation_items
from tuneval.data.likeness.near_evaluation import NearIndex
from tuneval.data.likeness.near_texts import NearTexts
from tuneval.data.likeness.ngram_table import NgramTable
from tuneval.data.likeness.places import Places
from tuneval.data.likeness.shingles import LONGEST_TEXT, Hashes, Positions, distinct
from tuneval.data.likeness.units import Units, units

Extent = Literal["near", "part", "answer", "whole", "equal"]
EXTENTS: tuple[Extent, ...] = ("near", "part", "answer", "whole", "equal")
NEAR = 0.8
WORDS = 13
SIGNS = 20
SHARE = 0.1

_COMMON = 10


@dataclass(frozen=True, slots=True)
class Lengths:
    """Units of an n-gram of long and of short texts, and the fewest of a text looked for at all."""

    long: int
    short: int
    fewest: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """What a training text has in common with a text of an evaluation item.

    `share` is that of the item's n-grams; `stretch` is the longest stretch in common, which
    begins with the unit `start` of the training text. `extent`: the two are equal, the item's
    text stands there whole (`answer`: only an answer does), or a part of it; or they are near
    duplicates, and `share` is their similarity.
    """

    item: int
    source: Source
    path: str
    extent: Extent
    share: float
    stretch: str
    start: int


@dataclass(frozen=True, slots=True)
class SetSize:
    """How many records an evaluation set has, and how many of them are not looked for."""

    name: str
    n_items: int
    n_too_short: int


class _Text(NamedTuple):
    """A text that is looked for by its n-grams. A short one counts only when it is there whole."""

    item: int
    path: str
    is_answer: bool
    is_short: bool
    n: int


class Index:
    """Evaluation sets, ready to be found again."""

    def __init__(
        self,
        sets: Sequence[files.Location],
        *,
        words: int = WORDS,
        signs: int = SIGNS,
        share: float = SHARE,
    ) -> None:
        self._share = share
        self._of_words = Lengths(words, -(-words * 8 // 13), -(-words * 5 // 13))
        self._of_signs = Lengths(signs, -(-signs * 12 // 20), -(-signs * 8 // 20))
        self._places = Places()
        self._texts: list[_Text] = []
        self._equals: dict[int, int] = {}
        rows: list[Hashes] = []
        near = NearTexts()
        self._near_texts = array("q")  # of each text of the near index, its number
        ends = []
        n_items = 0
        for location in sets:
            for item in evaluation_items(location):
                self._places.add(item.source)
                self._add(n_items, item, rows, near)
                n_items += 1
            ends.append(n_items)
        self._table = NgramTable(rows, common=_COMMON)
        self._near = NearIndex(near, NEAR)
        self.sizes = self._count(list(map(str, sets)), ends)

    @property
    def n_items(self) -> int:
        """How many records all sets have together."""
        return sum(size.n_items for size in self.sizes)

    def look_up(self, found: Units, n_whole: int) -> list[Overlap]:
        """What items have in common with these texts; an item may have several things.

        The first `n_whole` texts are a whole record, which may equal a whole item.
        """
        return [*self._equal(found, n_whole), *self._in_common(found)]

    def look_up_near(self, texts: Sequence[str]) -> list[tuple[int, Overlap]]:
        """The places of those texts that are near one of an item, and the most similar one."""
        near = []
        for found in self._near.look_up(texts):
            text, stretch = self._near_texts[found.text], self._near.text(found.text)
            near.append((found.row, self._overlap(text, "near", found.similarity, stretch, 0)))
        return near

    def _add(self, number: int, item: EvaluationItem, rows: list[Hashes], near: NearTexts) -> None:
        is_found_by_parts = False
        for sought in item.texts:
            found = units(sought.text[:LONGEST_TEXT])
            lengths = self._of_signs if 2 * found.is_sign.sum() > len(found) else self._of_words
            if len(found) < lengths.fewest:
                continue
            is_short = len(found) < lengths.long
            n = lengths.short if is_short else lengths.long
            if not sought.is_answer:
                self._equals.setdefault(found.code(1), len(self._texts))
                if not sought.is_whole:
                    self._near_texts.append(len(self._texts))
                    near.add((sought.text,), 0)
            self._texts.append(_Text(number, sought.path, sought.is_answer, is_short, n))
            by_parts = len(found) >= lengths.short and not (sought.is_whole and is_found_by_parts)
            rows.append(_ngrams(found, n) if by_parts else found.hashes[:0])
            is_found_by_parts |= by_parts

    def _count(self, names: Sequence[str], ends: Sequence[int]) -> tuple[SetSize, ...]:
        texts = {*self._equals.values(), *self._table.searchable.tolist()}
        items = np.array(sorted({self._texts[text].item for text in texts}), dtype=np.int64)
        sizes = []
        for name, begin, end in zip(names, [0, *ends[:-1]], ends, strict=True):
            n_searchable = int(((items >= begin) & (items < end)).sum())
            sizes.append(SetSize(name, end - begin, end - begin - n_searchable))
        return tuple(sizes)

    def _equal(self, found: Units, n_whole: int) -> Iterator[Overlap]:
        """Texts that equal one of these, or a whole record."""
        bounds = found.bounds.tolist()
        stretches = [*pairwise(bounds), (0, bounds[n_whole])]
        for code, (start, end) in zip(
            [*found.codes(), found.code(n_whole)], stretches, strict=True
        ):
            if code in self._equals and start < end:
                text = found.between(start, end)
                yield self._overlap(self._equals[code], "equal", 1.0, text, start)

    def _in_common(self, found: Units) -> Iterator[Overlap]:
        """Texts that have n-grams in common with these."""
        n_signs = int(found.is_sign.sum())
        lengths: list[int] = []
        for kind, n in ((self._of_words, len(found) - n_signs), (self._of_signs, n_signs)):
            if n >= kind.fewest:
                lengths += [kind.long, kind.short]
        if not lengths:
            return
        lengths = list(dict.fromkeys(lengths))
        rows = [found.ngrams(n) for n in lengths]
        seen = self._table.look_up(np.concatenate(rows))
        if not seen:
            return
        before = dict(zip(lengths, accumulate(map(len, rows), initial=0), strict=False))
        for some in seen:
            text = self._texts[some.text]
            if some.share < (1 if text.is_short else self._share):
                continue
            extent: Extent = "part" if some.share < 1 else "answer" if text.is_answer else "whole"
            first, last = _longest_run(some.places - before[text.n])
            stretch = found.between(first, last + text.n)
            yield self._overlap(some.text, extent, some.share, stretch, first)

    def _overlap(
        self, text: int, extent: Extent, share: float, stretch: str, start: int
    ) -> Overlap:
        item, path = self._texts[text].item, self._texts[text].path
        return Overlap(item, self._places[item], path, extent, share, stretch, start)


def _ngrams(found: Units, n: int) -> Hashes:
    """The n-grams that have at least n/3 different units."""
    windows = np.sort(sliding_window_view(found.hashes, n), axis=1)
    n_distinct = 1 + (windows[:, 1:] != windows[:, :-1]).sum(axis=1)
    varied: Hashes = found.ngrams(n)[3 * n_distinct >= n]
    return varied


def _longest_run(places: Positions) -> tuple[int, int]:
    """The first and the last of the longest run of places that follow one another."""
    places = distinct(places)
    breaks = np.flatnonzero(np.diff(places) > 1) + 1
    firsts, ends = np.append(0, breaks), np.append(breaks, len(places))
    longest = int(np.argmax(ends - firsts))
    return int(places[firsts[longest]]), int(places[ends[longest] - 1])
