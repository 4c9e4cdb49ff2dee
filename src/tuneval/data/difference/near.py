"""Which old and new records are nearly the same text, among those that nothing else pairs.

Every old record is compared with every new one of its group, by Jaccard's similarity of their
shingles: what they share, divided by all they have. System turns take no part, and texts that
share fewer than LEAST_SHARED shingles are not alike: that much two short ones share by chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tuneval.data.example import Item
from tuneval.data.likeness.minhash import ranges
from tuneval.data.likeness.shingles import hash_shingles
from tuneval.data.said import without_system

LEAST_SIMILARITY = 0.5
LEAST_SHARED = 5
MOST_CHARACTERS = 10_000  # of a record; what follows takes no part


def near_pairs(old: Sequence[Item], new: Sequence[Item]) -> list[tuple[int, int, float]]:
    """Places of old and new items of one group that are alike, with their similarity.

    The most similar pair comes first, and each item is in one pair at most.
    """
    # Of equally similar pairs the ones with equal sums share no item, so their order does not
    # matter: a comparison in the other direction finds the same pairs.
    found = [(-alike, here + there, here, there) for here, there, alike in _alike(old, new)]
    taken_old: set[int] = set()
    taken_new: set[int] = set()
    pairs = []
    for minus, _, here, there in sorted(found):
        if here not in taken_old and there not in taken_new:
            taken_old.add(here)
            taken_new.add(there)
            pairs.append((here, there, -minus))
    return pairs


def _alike(old: Sequence[Item], new: Sequence[Item]) -> Iterator[tuple[int, int, float]]:
    """Every pair of one group that is similar enough."""
    old_pieces, new_pieces = _pieces(old), _pieces(new)
    sizes = np.array([len(pieces) for pieces in old_pieces])
    owners = np.repeat(np.arange(len(old)), sizes)
    every = np.concatenate(old_pieces)
    order = np.argsort(every, kind="stable")
    every, owners = every[order], owners[order]
    groups = np.array([item.group or "" for item in old])
    for there, pieces in enumerate(new_pieces):
        starts = np.searchsorted(every, pieces, side="left")
        holders = owners[ranges(starts, np.searchsorted(every, pieces, side="right") - starts)]
        shared = np.bincount(holders, minlength=len(old))
        similarity = shared / np.maximum(sizes + len(pieces) - shared, 1)
        similarity[(shared < LEAST_SHARED) | (groups != (new[there].group or ""))] = 0
        for here in np.flatnonzero(similarity >= LEAST_SIMILARITY).tolist():
            yield here, there, float(similarity[here])


def _pieces(items: Sequence[Item]) -> list[NDArray[np.uint64]]:
    shingles = hash_shingles([without_system(item)[:MOST_CHARACTERS] for item in items])
    return [shingles.distinct(number) for number in range(len(items))]
