"""Which texts have which n-grams: looked up by the thousand, most of them in vain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneval.data.likeness.minhash import ranges
from tuneval.data.likeness.shingles import Hashes, Positions, distinct

_FILTER_FACTOR = 16  # so many places of the filter for each n-gram
_FEWEST_BITS, _MOST_BITS = 12, 27
_SEVERAL = 255  # mark of a place that several n-grams share


@dataclass(frozen=True, slots=True)
class Seen:
    """Some n-grams that a text of the table has: their places among those that were looked up."""

    text: int
    share: float
    places: Positions


class NgramTable:
    """N-grams, each with the texts that have it. Those of more than `common` texts are left out.

    Takes 12 bytes for each n-gram of each text, and 16 to 32 for each distinct n-gram.
    """

    def __init__(self, rows: Sequence[Hashes], *, common: int) -> None:
        """`rows` are the hashes of each text's n-grams."""
        rows = [distinct(row) for row in rows]
        hashes = np.concatenate([np.zeros(0, np.uint64), *rows])
        texts = np.repeat(np.arange(len(rows), dtype=np.int32), [len(row) for row in rows])
        order = np.argsort(hashes, kind="stable")
        hashes, texts = hashes[order], texts[order]
        firsts = np.flatnonzero(np.diff(hashes, prepend=~hashes[:1]))
        counts = np.diff(firsts, append=len(hashes))
        kept = counts <= common
        self._hashes = hashes[firsts][kept]
        self._texts = texts[np.repeat(kept, counts)]
        self._counts = counts[kept]
        self._firsts = np.cumsum(self._counts) - self._counts
        self._sizes = np.bincount(self._texts)
        n_places = max(1, _FILTER_FACTOR * len(self._hashes))
        bits = min(_MOST_BITS, max(_FEWEST_BITS, (n_places - 1).bit_length()))
        self._shift = np.uint64(64 - bits)
        # A place has the mark of its n-gram: hardly anything else passes.
        self._filter = np.zeros(1 << bits, dtype=np.uint8)
        places = self._hashes >> self._shift
        self._filter[places] = _marks(self._hashes)
        self._filter[places[1:][places[1:] == places[:-1]]] = _SEVERAL

    @property
    def searchable(self) -> Positions:
        """The numbers of the texts that still have an n-gram."""
        return np.flatnonzero(self._sizes)

    def look_up(self, hashes: Hashes) -> list[Seen]:
        """The texts that have some of these n-grams."""
        marks = self._filter[hashes >> self._shift]
        (likely,) = ((marks == _marks(hashes)) | (marks == _SEVERAL)).nonzero()
        if len(likely) == 0:
            return []
        some = hashes[likely]
        rows = self._hashes.searchsorted(some)
        found = self._hashes[np.minimum(rows, len(self._hashes) - 1)] == some
        return self._seen(likely[found], rows[found]) if found.any() else []

    def _seen(self, places: Positions, rows: Positions) -> list[Seen]:
        counts = self._counts[rows]
        texts = self._texts[ranges(self._firsts[rows], counts)]
        places, rows = np.repeat(places, counts), np.repeat(rows, counts)
        return [
            Seen(
                int(text),
                len(distinct(rows[texts == text])) / int(self._sizes[text]),
                places[texts == text],
            )
            for text in np.unique(texts)
        ]


def _marks(hashes: Hashes) -> NDArray[np.uint8]:
    """From 1 to 255, by the low bits."""
    return hashes.astype(np.uint8) | np.uint8(1)
