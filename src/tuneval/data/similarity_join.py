"""All pairs of sets whose Jaccard similarity reaches a threshold, without comparing every pair.

Prefix filtering (Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007): with the
pieces of each set ordered from rare to common, two sets that overlap enough share one among
the first few. The result is exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
_EPSILON = 1e-9  # a similarity of exactly the threshold counts, whatever the rounding


class SimilarityIndex:
    """Sets of pieces, numbered from 0 as given, ready to be compared. An empty set is like none."""

    def __init__(self, sets: Sequence[frozenset[str]], threshold: float) -> None:
        self._threshold = threshold
        self._lengths: Ints = np.array([len(pieces) for pieces in sets], dtype=np.int64)
        self._starts: Ints = np.concatenate([[0], np.cumsum(self._lengths)])
        owners = np.repeat(np.arange(len(sets)), self._lengths)
        # Python's own 64-bit hashes differ from process to process, the pairs found do not.
        hashes = np.fromiter(
            (hash(piece) for pieces in sets for piece in pieces), np.int64, int(self._starts[-1])
        )
        _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        rarity = np.empty(len(counts), dtype=np.int64)
        rarity[np.argsort(counts, kind="stable")] = np.arange(len(counts))
        pieces = rarity[inverse]
        self._pieces: Ints = pieces[np.lexsort((pieces, owners))]  # by set, then rare to common
        self._is_own_piece = np.zeros(len(counts), dtype=bool)
        self._is_candidate = np.zeros(len(sets), dtype=bool)
        self._index_prefixes(owners, np.sort(counts))

    def _index_prefixes(self, owners: Ints, counts: Ints) -> None:
        """For each piece the sets that have it among their first ones. `counts` are by rarity."""
        needed = np.ceil(self._threshold * self._lengths - _EPSILON).astype(np.int64)
        within = np.arange(len(owners)) - self._starts[owners]
        in_prefix = within < (self._lengths - needed + 1)[owners]
        chosen = np.flatnonzero(in_prefix & (counts[self._pieces] > 1))
        self._prefixes: Ints = self._pieces[chosen]
        self._prefix_starts = np.searchsorted(owners[chosen], np.arange(len(self._lengths) + 1))
        order = np.argsort(self._prefixes, kind="stable")
        self._holders: Ints = owners[chosen][order]
        self._holder_starts = np.searchsorted(self._prefixes[order], np.arange(len(counts) + 1))

    def candidates(self, number: int) -> Ints:
        """Earlier sets that may be similar to this one: all that are, and some that are not."""
        own = self._prefixes[self._prefix_starts[number] : self._prefix_starts[number + 1]]
        starts = self._holder_starts[own]
        holders = self._holders[_ranges(starts, self._holder_starts[own + 1] - starts)]
        self._is_candidate[holders] = True
        found: Ints = np.flatnonzero(self._is_candidate[:number])
        self._is_candidate[holders] = False
        length, lengths = self._lengths[number], self._lengths[found]
        shorter, longer = np.minimum(lengths, length), np.maximum(lengths, length)
        fitting: Ints = found[shorter >= self._threshold * longer - _EPSILON]
        return fitting

    def similar(self, number: int, others: Ints) -> tuple[Ints, NDArray[np.float64]]:
        """Those of the others that reach the threshold with this one, and their similarity."""
        if len(others) == 0:
            return others, np.zeros(0)
        own = self._pieces[self._starts[number] : self._starts[number + 1]]
        lengths = self._lengths[others]
        self._is_own_piece[own] = True
        hits = self._is_own_piece[self._pieces[_ranges(self._starts[others], lengths)]]
        self._is_own_piece[own] = False
        total = np.concatenate([[0], np.cumsum(hits)])
        ends = np.cumsum(lengths)
        shared = total[ends] - total[ends - lengths]
        similarity = shared / np.maximum(lengths + len(own) - shared, 1)
        near = similarity >= self._threshold - _EPSILON
        return others[near], similarity[near]


def _ranges(starts: Ints, lengths: Ints) -> Ints:
    """`starts[0], starts[0] + 1, …` for each start as many as its length, one after the other."""
    ends = np.cumsum(lengths)
    if len(ends) == 0:
        return ends
    return np.repeat(starts - ends + lengths, lengths) + np.arange(ends[-1])
