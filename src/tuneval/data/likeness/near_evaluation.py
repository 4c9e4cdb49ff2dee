"""Texts of evaluation sets, nearly found again: a few words or signs are others.

n-grams find such a copy by what was left alone, if that is long enough. Here whole texts are
compared as near duplicates are: by their pieces, and found by MinHash (see `near_pairs`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuneval.data.likeness.minhash import ranges
from tuneval.data.likeness.near_pairs import bands, estimate, spread
from tuneval.data.likeness.near_texts import ROUNDING, NearTexts, jaccard, sets_of, sketches_of
from tuneval.data.likeness.shingles import LONGEST_TEXT, Positions, distinct

_MOST_PER_BAND = 64


@dataclass(frozen=True, slots=True)
class NearText:
    """A text that was looked up, by its row, and the most similar one that is near."""

    row: int
    text: int
    similarity: float


class NearIndex:
    """Texts, one in each entry, to be found by near ones. Takes 0.3 kB more for each."""

    def __init__(self, texts: NearTexts, threshold: float) -> None:
        self._threshold = threshold
        self._bands = bands(threshold)
        self._shelf = texts.shelf
        self._sketches = texts.sketches()
        numbers = np.arange(len(self._sketches))
        self._tables = []
        for band in range(self._bands.number):
            codes = self._bands.codes(self._sketches, numbers, band)
            order = np.argsort(codes, kind="stable")
            self._tables.append((codes[order], order))

    def text(self, number: int) -> str:
        """A text of the index."""
        ((text,),) = self._shelf.take([number])
        return text

    def look_up(self, texts: Sequence[str]) -> list[NearText]:
        """Of each text that is near one of the index, the most similar one."""
        entries = [(text[:LONGEST_TEXT],) for text in texts]
        rows, numbers = self._candidates(entries)
        if len(rows) == 0:
            return []
        here, there = distinct(rows).tolist(), distinct(numbers).tolist()
        sets = dict(zip(here, sets_of([entries[row] for row in here]), strict=True))
        sought = dict(zip(there, sets_of(list(self._shelf.take(there))), strict=True))
        best: dict[int, NearText] = {}
        for row, number in zip(rows.tolist(), numbers.tolist(), strict=True):
            similarity = jaccard(sets[row][1], sought[number][1])
            least = best[row].similarity if row in best else self._threshold - ROUNDING
            if similarity > least:
                best[row] = NearText(row, number, similarity)
        return list(best.values())

    def _candidates(self, entries: Sequence[tuple[str]]) -> tuple[Positions, Positions]:
        """Rows and numbers of texts that meet in a band, and are likely alike."""
        sketches = sketches_of(entries)
        rows = np.arange(len(sketches))
        n = max(1, len(self._sketches))
        pairs = [np.zeros(0, dtype=np.int64)]
        for band, (codes, order) in enumerate(self._tables):
            wanted = self._bands.codes(sketches, rows, band)
            first = np.searchsorted(codes, wanted, side="left")
            counts = np.searchsorted(codes, wanted, side="right") - first
            counts = np.minimum(counts, _MOST_PER_BAND)
            pairs.append(np.repeat(rows, counts) * n + order[ranges(first, counts)])
        some, others = np.divmod(distinct(np.concatenate(pairs)), n)
        floor = self._threshold - spread(self._threshold)
        likely = estimate(sketches[some], self._sketches[others]) >= floor
        return some[likely], others[likely]
