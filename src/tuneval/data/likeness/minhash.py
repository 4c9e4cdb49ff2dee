"""Sketches of sets: a few bytes from which the similarity of two sets can be told.

Fast similarity sketching (Dahlgaard, Knudsen and Thorup 2017): every piece is thrown into one of
the bins with a random value, and each bin keeps its smallest; bins that stay empty are filled in
further rounds, and what is empty then by a minimum over all pieces. The share of bins on which
two sets agree is an unbiased estimate of their Jaccard similarity, as with one hash function
for each bin, but most pieces are hashed once or twice. Of each minimum eight bits are kept
(b-bit minwise hashing, Li and König 2010): two different ones look equal once in 256 times.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tuneval.data.likeness.shingles import Hashes, Positions, mix

Sketches = NDArray[np.uint8]

_ROUNDS = 6
_EMPTY = np.uint64(2**64 - 1)
_STEP = 0x9E3779B97F4A7C15
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def sketch(hashes: Hashes, starts: Positions, n_bins: int, *, seed: int) -> Sketches:
    """A row of `n_bins` bytes for each set; set `i` is `hashes[starts[i] : starts[i + 1]]`.

    Repetitions do not matter. The row of an empty set is all zeros. Only sketches of one seed
    and number of bins can be compared.
    """
    lengths = np.diff(starts)
    bins = np.full((len(lengths), n_bins), _EMPTY, dtype=np.uint64)
    values = mix(hashes + np.uint64(seed * _STEP % 2**64))
    sets = np.flatnonzero(lengths)
    for number in range(_ROUNDS):
        _throw(bins, np.repeat(sets, lengths[sets]), values, number)
        unfilled = (bins[sets] == _EMPTY).any(axis=1)
        values = mix(values[np.repeat(unfilled, lengths[sets])] + np.uint64(_STEP))
        sets = sets[unfilled]
    _fill(bins, sets, values, lengths[sets])
    bins[lengths == 0] = 0
    kept: Sketches = (mix(bins) >> np.uint64(56)).astype(np.uint8)
    return kept


def ranges(starts: Positions, lengths: Positions) -> Positions:
    """`starts[0], starts[0] + 1, …` for each start as many as its length, one after the other."""
    ends = np.cumsum(lengths)
    n = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - ends + lengths, lengths) + np.arange(n)


def _throw(bins: Hashes, sets: Positions, values: Hashes, number: int) -> None:
    """One round. What a later round throws never displaces what an earlier one has thrown."""
    n_bins = bins.shape[1]
    chosen = ((values >> _HALF) * np.uint64(n_bins)) >> _HALF
    ranked = (values & _LOW) | np.uint64(number << 32)
    np.minimum.at(bins.reshape(-1), sets * n_bins + chosen.astype(np.int64), ranked)


def _fill(bins: Hashes, sets: Positions, values: Hashes, lengths: Positions) -> None:
    """Each empty bin of the sets gets the minimum over their pieces, hashed anew for that bin."""
    rows, columns = np.nonzero(bins[sets] == _EMPTY)
    if len(rows) == 0:
        return
    sizes = lengths[rows]
    pieces = ranges((np.cumsum(lengths) - lengths)[rows], sizes)
    steps = (columns.astype(np.uint64) + np.uint64(1)) * np.uint64(_STEP)
    anew = mix(values[pieces] + np.repeat(steps, sizes)) >> np.uint64(1)
    bins[sets[rows], columns] = np.minimum.reduceat(anew, np.cumsum(sizes) - sizes)
