"""All pairs of sets whose Jaccard similarity reaches a threshold, without comparing every pair.

Prefix filtering (Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007): with the
pieces of each set ordered from rare to common, two sets that overlap enough share one among
the first few. The result is exact.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Texts = tuple[frozenset[str], frozenset[str]]
Ints = NDArray[np.int64]
_ANSWER = 0x5BD1E995
_FIRST_CHUNK = 64
_CHUNK = 4096


class Similar(NamedTuple):
    """Positions of two texts, the earlier first, and the similarity of question and answer."""

    first: int
    second: int
    similarity: float


def similar_pairs(
    texts: Sequence[Texts], threshold: float, *, keep: Literal["all", "first"]
) -> list[Similar]:
    """Pairs of (question, answer) whose questions, and the whole of both, reach the threshold.

    Ordered by the later one, then the earlier. A text without a question has no pair.
    """
    sets = _Sets([t if t[0] else (frozenset[str](), frozenset[str]()) for t in texts])
    earlier: dict[int, array[int]] = {}  # piece -> sets that have it in their prefix
    pairs: list[Similar] = []
    for number, prefix in sets.shared_prefixes(threshold):
        lists = [earlier[piece] for piece in prefix if piece in earlier]
        if lists:
            candidates = np.unique(
                np.concatenate([np.frombuffer(part, np.int64) for part in lists])
            )
            pairs += sets.matches(number, candidates, threshold, keep=keep)
        for piece in prefix:
            earlier.setdefault(piece, array("q")).append(number)
    return pairs


class _Sets:
    """The sets as rows of one long array of piece numbers, 0 the rarest."""

    def __init__(self, texts: Sequence[Texts]) -> None:
        n_questions = np.array([len(q) for q, _ in texts], dtype=np.int64)
        self.lengths: Ints = n_questions + np.array([len(a) for _, a in texts], dtype=np.int64)
        self.n_questions: Ints = n_questions
        self.starts: Ints = np.concatenate([[0], np.cumsum(self.lengths)])
        hashes = np.fromiter(
            (
                h
                for q, a in texts
                for part, salt in ((q, 0), (a, _ANSWER))
                for h in _hashes(part, salt)
            ),
            dtype=np.int64,
            count=int(self.starts[-1]),
        )
        _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        rank = np.empty(len(counts), dtype=np.int64)
        rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
        owners = np.repeat(np.arange(len(texts)), self.lengths)
        within = np.arange(len(hashes)) - self.starts[owners]
        pieces = rank[inverse]
        order = np.lexsort((pieces, owners))
        self.pieces: Ints = pieces[order]
        self.is_question = (within < n_questions[owners])[order]
        self.owners = owners
        self.within = within
        self.is_shared = (counts > 1)[inverse][order]
        self._marked = np.zeros(len(counts), dtype=bool)

    def shared_prefixes(self, threshold: float) -> Iterator[tuple[int, list[int]]]:
        """Each set's first pieces, as many as must hold a common one, less those it has alone."""
        needed = np.ceil(threshold * self.lengths - 1e-9).astype(np.int64)
        in_prefix = self.within < (self.lengths - needed + 1)[self.owners]
        chosen = np.flatnonzero(in_prefix & self.is_shared)
        bounds = np.searchsorted(self.owners[chosen], np.arange(len(self.lengths) + 1))
        for number in np.flatnonzero(np.diff(bounds)):
            yield int(number), self.pieces[chosen[bounds[number] : bounds[number + 1]]].tolist()

    def matches(
        self, number: int, candidates: Ints, threshold: float, *, keep: Literal["all", "first"]
    ) -> Iterator[Similar]:
        """Those of the candidates that are similar to the set of that number."""
        length = self.lengths[number]
        lengths = self.lengths[candidates]
        candidates = candidates[
            (np.minimum(lengths, length) >= threshold * np.maximum(lengths, length) - 1e-9)
        ]
        size = _FIRST_CHUNK if keep == "first" else _CHUNK
        start = 0
        while start < len(candidates):
            chunk = candidates[start : start + size]
            start, size = start + size, _CHUNK
            similarity, asked = self._similarities(number, chunk)
            near = np.flatnonzero((similarity >= threshold - 1e-9) & (asked >= threshold - 1e-9))
            for hit in near[:1] if keep == "first" else near:
                yield Similar(int(chunk[hit]), number, float(similarity[hit]))
            if keep == "first" and len(near):
                return

    def _similarities(
        self, number: int, others: Ints
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Jaccard similarity of the whole, and of the questions alone, to each of the others."""
        own = self.pieces[self.starts[number] : self.starts[number + 1]]
        lengths = self.lengths[others]
        ends = np.cumsum(lengths)
        firsts = ends - lengths
        rows = np.repeat(self.starts[others] - firsts, lengths) + np.arange(ends[-1])
        self._marked[own] = True
        hits = self._marked[self.pieces[rows]]
        self._marked[own] = False
        shared = np.add.reduceat(hits, firsts, dtype=np.int64)
        asked = np.add.reduceat(hits & self.is_question[rows], firsts, dtype=np.int64)
        return (
            shared / (lengths + self.lengths[number] - shared),
            asked / (self.n_questions[others] + self.n_questions[number] - asked),
        )


def _hashes(pieces: frozenset[str], salt: int) -> Iterator[int]:
    """Python's own 64-bit hashes: they differ from process to process, the result does not."""
    return (hash(piece) ^ salt for piece in pieces)
