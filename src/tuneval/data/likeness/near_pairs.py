"""Which of many sketches are likely alike, without comparing all with all.

Locality-sensitive hashing: the bytes of a sketch are cut into bands, and two sketches meet when
they agree on all bytes of one band. With rows bytes in each of n bands, two sets of similarity
s meet with the probability 1 - (1 - s^rows)^n, an S-curve (Leskovec, Rajaraman and Ullman,
Mining of Massive Datasets, 3.4). Who meets is compared by the whole sketch, and then measured.

In a crowd that meets in one band (ten thousand records of one template) each is compared with
the first 64 alone, so that the work stays linear. What is near meets in other bands again, where
the crowds are others: among 20,000 records that share 75% of their pieces all of 164 planted
copies of similarity 0.9 and more were found, and 32 of 34 of 0.85 to 0.9.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from tuneval.data.likeness.crowds import Crowds
from tuneval.data.likeness.minhash import Sketches
from tuneval.data.likeness.shingles import Hashes, Positions, distinct, mix

BINS = 72  # bytes of a sketch for each of its two sets
MISSED = 1e-3

_TRIES = 4  # candidates of one number that are measured at a time
_PATIENCE = 16  # failed tries after which the estimate itself must reach the threshold
_MOST_ROWS = 16

Floats = NDArray[np.float64]
Measure = Callable[[Positions, Positions], Floats]


@dataclass(frozen=True, slots=True)
class Bands:
    """How sketches are cut. A pair of exactly the threshold is missed with `missed`, or less."""

    rows: int
    number: int
    missed: float

    def codes(self, sketches: Sketches, numbers: Positions, band: int) -> Hashes:
        """A code for each of these sketches; equal codes meet in this band."""
        places = np.arange(band * self.rows, (band + 1) * self.rows)
        words = np.zeros((len(numbers), -(-self.rows // 8) * 8), dtype=np.uint8)
        # The bytes of the two sets take turns: a band asks for both.
        words[:, : self.rows] = sketches[numbers[:, None], places // 2 + places % 2 * BINS]
        codes = np.zeros(len(numbers), dtype=np.uint64)
        for column in words.view(np.uint64).T:
            codes = mix(codes ^ column)
        return codes


def estimate(some: Sketches, others: Sketches) -> Floats:
    """The estimated similarity, row by row, of the two sets that are less alike."""
    same = some == others
    counts = same.view(np.uint8).reshape(len(same), 2, BINS).sum(axis=2, dtype=np.uint8)
    estimates: Floats = (counts.min(axis=1) / BINS - 1 / 256) / (1 - 1 / 256)
    return estimates


def spread(threshold: float) -> float:
    """Four standard deviations of an estimate, where the true similarity is at the threshold."""
    return 4 * sqrt(threshold * (1 - threshold) / BINS)


def bands(threshold: float) -> Bands:
    """As many rows as possible, for few needless meetings, while at most MISSED is missed."""
    for rows in range(_MOST_ROWS, 1, -1):
        number = 2 * BINS // rows
        missed = (1 - threshold**rows) ** number
        if missed <= MISSED:
            return Bands(rows, number, missed)
    return Bands(1, 2 * BINS, (1 - threshold) ** (2 * BINS))


@dataclass(frozen=True, slots=True)
class Matches:
    """Pairs of numbers, `earlier[i] < later[i]`, and their similarity, ordered by `later`."""

    earlier: Positions
    later: Positions
    similarity: Floats


class NearPairs:
    """Looks for pairs among sketches of two sets each, side by side; both have to be alike.

    `numbers` are the rows that take part, in ascending order, and `kinds` what has to be equal
    for them. `measure` gives the true similarity of pairs, 0 where it is below the threshold.
    """

    def __init__(
        self,
        sketches: Sketches,
        numbers: Positions,
        kinds: NDArray[np.uint8],
        threshold: float,
        measure: Measure,
    ) -> None:
        self._sketches = sketches
        self._numbers = numbers
        self._kinds = mix(kinds.astype(np.uint64))
        self._bands = bands(threshold)
        self._measure = measure
        self._threshold = threshold
        self._spread = spread(threshold)
        n = len(sketches)
        self._earliest: Positions = np.arange(n)  # its own number: none found yet
        self._similarity: Floats = np.zeros(n)
        self._n_found = np.zeros(n, dtype=np.int64)
        self._failures = np.zeros(n, dtype=np.int64)
        self._refuted: Positions = np.zeros(0, dtype=np.int64)

    def all(self) -> Matches:
        """Every pair; of m that are all alike, m (m - 1) / 2."""
        n = len(self._sketches)
        codes = [np.zeros(0, dtype=np.int64)]
        for band in range(self._bands.number):
            for later, earlier in self._meetings(band).all_pairs():
                likely = self._estimate(later, earlier) >= self._threshold - self._spread
                codes.append(later[likely] * n + earlier[likely])
        later, earlier = np.divmod(distinct(np.concatenate(codes)), n)
        similarity = self._measure(later, earlier)
        near = similarity > 0
        return Matches(earlier[near], later[near], similarity[near])

    def earliest(self) -> Matches:
        """Each number at most once, with the earliest found that it is like."""
        for band in range(self._bands.number):
            self._look(self._meetings(band))
        later = np.flatnonzero(self._earliest < np.arange(len(self._earliest)))
        return Matches(self._earliest[later], later, self._similarity[later])

    def _meetings(self, band: int) -> Crowds:
        """All that meet in this band."""
        codes = self._bands.codes(self._sketches, self._numbers, band)
        return Crowds.of(self._numbers, codes ^ self._kinds)

    def _estimate(self, some: Positions, others: Positions) -> Floats:
        return estimate(self._sketches[some], self._sketches[others])

    def _look(self, crowds: Crowds) -> None:
        """Measure each member of a crowd with the first few that seem like it, or surely are."""
        found = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))]
        self._n_found[crowds.members] = 0
        for later, earlier in crowds.rounds(self._is_open):
            rise = self._spread * (self._failures[later] / _PATIENCE - 1)
            floor = np.minimum(self._threshold + rise, 1 - 1e-9)
            estimates = self._estimate(later, earlier)
            likely = (estimates >= floor) & ~self._is_refuted(later, earlier)
            found.append((later[likely], earlier[likely]))
            sure = estimates[likely] >= min(self._threshold + self._spread / 2, 1 - 1e-9)
            self._n_found[later[likely]] += np.where(sure, _TRIES, 1)
        self._settle(*(np.concatenate(column) for column in zip(*found, strict=True)))

    def _is_open(self, later: Positions, earlier: Positions) -> NDArray[np.bool_]:
        return (earlier < self._earliest[later]) & (self._n_found[later] < _TRIES)

    def _settle(self, later: Positions, earlier: Positions) -> None:
        similarity = self._measure(later, earlier)
        near = np.flatnonzero(similarity > 0)
        near = near[np.argsort(-earlier[near], kind="stable")]  # the earliest is written last
        self._earliest[later[near]] = earlier[near]
        self._similarity[later[near]] = similarity[near]
        far = similarity == 0
        np.add.at(self._failures, later[far], 1)
        codes = later[far] * len(self._sketches) + earlier[far]
        self._refuted = np.sort(np.concatenate([self._refuted, np.sort(codes)]), kind="stable")

    def _is_refuted(self, later: Positions, earlier: Positions) -> NDArray[np.bool_]:
        if len(self._refuted) == 0:
            return np.zeros(len(later), dtype=bool)
        codes = later * len(self._sketches) + earlier
        places = np.searchsorted(self._refuted, codes)
        found = self._refuted[np.minimum(places, len(self._refuted) - 1)]
        is_refuted: NDArray[np.bool_] = found == codes
        return is_refuted
