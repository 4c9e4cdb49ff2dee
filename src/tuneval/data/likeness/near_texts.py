"""Texts that may be alike, each put aside as a sketch and compressed, and compared at the end.

Takes about 160 bytes of memory for each entry, and the texts at half their size on a `Shelf`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from tuneval.data.likeness.minhash import Sketches, ranges, sketch
from tuneval.data.likeness.near_pairs import BINS, Floats, Matches, NearPairs
from tuneval.data.likeness.shelf import Shelf, Texts
from tuneval.data.likeness.shingles import LONGEST_TEXT, Hashes, Positions, hash_shingles

Keep = Literal["all", "first"]

BATCH_CHARACTERS = 1 << 17
_EMPTY_CHARACTERS = 64  # the work for an entry without any
_PAIRS = 256
_MEASURED_AT_ONCE = 500_000  # characters
_REMEMBERED = 8_000_000  # pieces
ROUNDING = 1e-9  # a similarity of exactly the threshold counts
# What tells a piece of an answer from the same piece of a question.
_SALTS = np.array([0, *(0x2545F4914F6CDD1D * odd % 2**64 for odd in (1, 3, 5))], dtype=np.uint64)


class NearTexts:
    """Entries of up to four texts, numbered from 0: what is asked, then what is answered.

    Two entries are alike when their first texts reach the threshold, and all texts together
    reach it as well; those of different kinds never are. Entries with equal keys are exact
    copies: only the first takes part.
    """

    def __init__(self) -> None:
        self.keys = array("Q")
        self.shelf = Shelf()
        self._kinds = array("B")
        self._sizes = array("I")  # characters
        self._sketches = bytearray()
        self._waiting: list[Texts] = []
        self._waiting_characters = 0

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, texts: Texts, key: int, kind: int = 0) -> None:
        """One more entry. `key` has 64 bits, `kind` eight."""
        texts = tuple(text[:LONGEST_TEXT] for text in texts)
        size = sum(map(len, texts))
        self.keys.append(key)
        self._kinds.append(kind)
        self._sizes.append(size)
        self.shelf.add(texts)
        self._waiting.append(texts)
        self._waiting_characters += size + _EMPTY_CHARACTERS
        if self._waiting_characters >= BATCH_CHARACTERS:
            self._sketch_waiting()

    def merge(self, later: NearTexts) -> None:
        """Put all entries of another one behind these."""
        self._sketch_waiting()
        later._sketch_waiting()
        self.keys += later.keys
        self._kinds += later._kinds
        self._sizes += later._sizes
        self._sketches += later._sketches
        self.shelf.extend(later.shelf)

    def sketches(self) -> Sketches:
        """A row for each entry: the sketch of all its texts, then that of the first."""
        self._sketch_waiting()
        return np.frombuffer(self._sketches, np.uint8).reshape(-1, 2 * BINS)

    def pairs(self, threshold: float, keep: Keep) -> Matches:
        """Pairs that are alike; with `first`, each entry with the earliest that it is like."""
        sketches = self.sketches()
        _, firsts = np.unique(np.frombuffer(self.keys, np.uint64), return_index=True)
        firsts = np.sort(firsts)
        firsts = firsts[sketches[firsts, :8].any(axis=1)]  # of nothing the sketch is all zeros
        measure = _Measuring(self.shelf, self._sizes, threshold)
        kinds = np.frombuffer(self._kinds, np.uint8)[firsts]
        search = NearPairs(sketches, firsts, kinds, threshold, measure)
        return search.all() if keep == "all" else search.earliest()

    def _sketch_waiting(self) -> None:
        if self._waiting:
            self._sketches += sketches_of(self._waiting).tobytes()
            self._waiting, self._waiting_characters = [], 0

    def __getstate__(self) -> dict[str, object]:
        self._sketch_waiting()
        return self.__dict__


class _Measuring:
    """The true similarity of pairs. The pieces of what was last compared are remembered."""

    def __init__(self, shelf: Shelf, sizes: array[int], threshold: float) -> None:
        self._shelf = shelf
        self._sizes = sizes
        self._threshold = threshold - ROUNDING
        self._sets: dict[int, tuple[Hashes, Hashes]] = {}
        self._n_pieces = 0

    def __call__(self, later: Positions, earlier: Positions) -> Floats:
        """0 where it is below the threshold."""
        similarity = np.zeros(len(later))
        pairs = list(zip(later.tolist(), earlier.tolist(), strict=True))
        at = 0
        while at < len(pairs):
            numbers: set[int] = set()
            begin, size = at, 0
            while at < len(pairs) and at - begin < _PAIRS and size < _MEASURED_AT_ONCE:
                size += sum(self._sizes[number] for number in pairs[at] if number not in numbers)
                numbers.update(pairs[at])
                at += 1
            self._load(numbers)
            similarity[begin:at] = [self._similarity(*pair) for pair in pairs[begin:at]]
        return similarity

    def _load(self, numbers: set[int]) -> None:
        if self._n_pieces > _REMEMBERED:
            self._sets, self._n_pieces = {}, 0
        missing = sorted(numbers - self._sets.keys())
        entries = list(self._shelf.take(missing))
        for number, sets in zip(missing, sets_of(entries), strict=True):
            self._sets[number] = sets
            self._n_pieces += len(sets[0]) + len(sets[1])

    def _similarity(self, some: int, other: int) -> float:
        (asked, whole), (other_asked, other_whole) = self._sets[some], self._sets[other]
        is_one_text = asked is whole and other_asked is other_whole
        is_asked = not is_one_text and len(asked) + len(other_asked) > 0
        if is_asked and jaccard(asked, other_asked) < self._threshold:
            return 0.0
        similarity = jaccard(whole, other_whole)
        return similarity if similarity >= self._threshold else 0.0


def jaccard(some: Hashes, others: Hashes) -> float:
    """What two sorted sets share, divided by all they have; 0 of two empty ones."""
    both = np.concatenate([some, others])
    both.sort(kind="stable")  # of two sorted runs that is a merge
    shared = int(np.count_nonzero(both[1:] == both[:-1]))
    return shared / max(1, len(both) - shared)


def sketches_of(entries: Sequence[Texts]) -> Sketches:
    """A row for each entry: the sketch of all its texts, then that of the first."""
    shingles = hash_shingles([text for texts in entries for text in texts])
    lengths = np.diff(shingles.starts)
    first = np.cumsum([0, *(len(texts) for texts in entries)])
    of_first = ranges(shingles.starts[first[:-1]], lengths[first[:-1]])
    starts_of_first = np.concatenate([[0], np.cumsum(lengths[first[:-1]])])
    place = np.arange(first[-1]) - np.repeat(first[:-1], np.diff(first))
    salted = shingles.hashes ^ np.repeat(_SALTS[place], lengths)
    return np.concatenate(
        [
            sketch(salted, shingles.starts[first], BINS, seed=1),
            sketch(shingles.hashes[of_first], starts_of_first, BINS, seed=2),
        ],
        axis=1,
    )


def sets_of(entries: Sequence[Texts]) -> Iterator[tuple[Hashes, Hashes]]:
    """For each entry the pieces of its first text, and those of all, sorted."""
    shingles = hash_shingles([text for texts in entries for text in texts])
    number = 0
    for texts in entries:
        parts = [shingles.distinct(number + place) for place in range(len(texts))]
        number += len(texts)
        if len(parts) == 1:
            yield parts[0], parts[0]
        else:
            salted = [part ^ salt for part, salt in zip(parts, _SALTS, strict=False)]
            yield parts[0], np.sort(np.concatenate(salted))
