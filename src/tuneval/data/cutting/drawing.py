"""A seeded order of a set's units in which every beginning is a fair sample of the set.

A unit is a record or a whole group. With strata the order takes from each of them in turn, in
proportion to its size, so that every beginning has the strata's shares as nearly as whole units
can; within a stratum, and without strata, a hash decides. A longer beginning holds every shorter
one. Kept for each record are ten bytes, and about ninety more while the order is made.
"""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneval.errors import UsageError

MOST_STRATA = 1000


def key_hash(key: str, seed: int) -> int:
    """64 bits for a key, evenly spread, the same on every machine."""
    digest = hashlib.sha256(f"{seed} {key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big")


def position_of(hash: int) -> float:
    """A key hash as a place in [0, 1)."""
    return (hash >> 16) / 2.0**48


class Strata:
    """Numbers for the values that part a set, in the order of their first appearance."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._numbers: dict[str, int] = {}

    def number(self, value: str) -> int:
        """The value's number. UsageError when there are too many values to be strata."""
        number = self._numbers.setdefault(value, len(self._numbers))
        if number >= MOST_STRATA:
            raise UsageError(
                f"'{self._name}' has more than {MOST_STRATA} different values: too many to "
                "keep their shares.",
                mend="name a tag or a field with few values, such as label.intent",
            )
        return number

    @property
    def values(self) -> list[str]:
        """The values by number."""
        return list(self._numbers)


class Units:
    """Collects the unit of each record of a set, and the stratum of each record."""

    def __init__(self) -> None:
        self._keys = array("Q")
        self._strata = array("H")

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: int, stratum: int = 0) -> None:
        """The next record: its unit's key hash and its stratum's number."""
        self._keys.append(key)
        self._strata.append(stratum)

    @property
    def strata(self) -> NDArray[np.uint16]:
        """The stratum of each record."""
        return np.frombuffer(self._strata, np.uint16)

    def in_fair_order(self) -> FairOrder:
        """The order. A unit belongs to the stratum of its first record."""
        keys, first, unit, sizes = np.unique(
            np.frombuffer(self._keys, np.uint64),
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        places = _places(keys, self.strata[first], sizes)
        return FairOrder(unit, sizes, np.lexsort((keys, places)))


@dataclass(frozen=True, slots=True)
class FairOrder:
    """`unit` is each record's unit; `sizes` count a unit's records; `order` lists the units."""

    unit: NDArray[np.int64]
    sizes: NDArray[np.int64]
    order: NDArray[np.int64]

    @property
    def n_units(self) -> int:
        """How many units there are."""
        return len(self.order)

    def first(self, n_units: int) -> NDArray[np.bool_]:
        """For each record whether it is of the first so many units."""
        chosen = np.zeros(self.n_units, dtype=np.bool_)
        chosen[self.order[:n_units]] = True
        return chosen[self.unit]

    def parted(self, shares: list[float]) -> NDArray[np.uint8]:
        """For each record the number of its part; the parts follow one another in the order.

        A part begins with the unit whose middle record is nearest to where the shares ask for it.
        """
        sizes = self.sizes[self.order]
        middles = np.cumsum(sizes) - sizes / 2
        bounds = np.cumsum(shares)[:-1] * len(self.unit)
        part = np.empty(self.n_units, dtype=np.uint8)
        part[self.order] = np.searchsorted(bounds, middles, side="left")
        return part[self.unit]


def _places(
    keys: NDArray[np.uint64], strata: NDArray[np.uint16], sizes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Where in its stratum each unit's middle record stands, from 0 to 1, the units by hash."""
    by_stratum = np.lexsort((keys, strata))
    ordered = sizes[by_stratum]
    totals = np.bincount(strata, weights=sizes)
    before = np.cumsum(totals) - totals
    middles = np.cumsum(ordered) - ordered / 2
    places = np.empty(len(keys))
    owner = strata[by_stratum]
    places[by_stratum] = (middles - before[owner]) / totals[owner]
    return places
