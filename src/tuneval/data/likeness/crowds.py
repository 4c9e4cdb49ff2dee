"""Numbers that have a key in common, crowd by crowd, and the pairs in a crowd."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneval.data.likeness.shingles import Hashes, Positions

_TURNS = 64


@dataclass(frozen=True, slots=True)
class Crowds:
    """Crowds of at least two, one after the other; the numbers ascend within each."""

    members: Positions
    starts: Positions
    lengths: Positions

    @classmethod
    def of(cls, numbers: Positions, codes: Hashes) -> Crowds:
        """Those with the same code. Numbers of one code are given in ascending order."""
        order = np.argsort(codes, kind="stable")
        codes = codes[order]
        starts = np.flatnonzero(np.diff(codes, prepend=~codes[:1]))
        lengths = np.diff(starts, append=len(codes))
        crowded = lengths > 1
        members = numbers[order[np.repeat(crowded, lengths)]]
        lengths = lengths[crowded]
        return cls(members, np.cumsum(lengths) - lengths, lengths)

    def rounds(
        self, is_open: Callable[[Positions, Positions], NDArray[np.bool_]]
    ) -> Iterator[tuple[Positions, Positions]]:
        """Each member with the first of its crowd, then with the second, up to the 64th.

        Only while the pair is open; a member whose pair is not takes no further part.
        """
        crowd = np.repeat(np.arange(len(self.lengths)), self.lengths)
        turns = np.minimum(np.arange(len(self.members)) - self.starts[crowd], _TURNS)
        present = np.flatnonzero(turns)
        for turn in range(_TURNS):
            present = present[turns[present] > turn]
            if len(present) == 0:
                return
            later = self.members[present]
            earlier = self.members[self.starts[crowd[present]] + turn]
            still = is_open(later, earlier)
            present = present[still]
            yield later[still], earlier[still]

    def all_pairs(self) -> Iterator[tuple[Positions, Positions]]:
        """Every pair of members, the later and the earlier one."""
        crowd = np.repeat(np.arange(len(self.lengths)), self.lengths)
        n_before = np.arange(len(self.members)) - self.starts[crowd]
        for distance in range(1, int(self.lengths.max(initial=1))):
            later = np.flatnonzero(n_before >= distance)
            yield self.members[later], self.members[later - distance]
