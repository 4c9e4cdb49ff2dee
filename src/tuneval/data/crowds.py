"""Numbers that have a key in common, crowd by crowd, and the pairs in a crowd."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneval.data.shingles import Hashes, Positions

IsOpen = Callable[[Positions, Positions], NDArray[np.bool_]]  # of later and earlier numbers
SMALL = 64
_HEADS = 4


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

    def large(self, is_open: IsOpen) -> tuple[Positions, Positions]:
        """The members of crowds too large for `rounds` to end, and the numbers of those crowds.

        Only crowds where the pair of some member and the first one is open.
        """
        crowd = np.repeat(np.arange(len(self.lengths)), self.lengths)
        open_crowds = crowd[is_open(self.members, self.members[self.starts[crowd]])]
        large = self.lengths > SMALL
        large &= np.bincount(open_crowds, minlength=len(large)) > 0
        return self.members[large[crowd]], crowd[large[crowd]]

    def rounds(self, is_open: IsOpen) -> Iterator[tuple[Positions, Positions]]:
        """Each member with the first of its crowd, then with the second, and so on.

        Only while the pair is open; a member whose pair is not takes no further part. In large
        crowds the rounds end after the fourth.
        """
        crowd = np.repeat(np.arange(len(self.lengths)), self.lengths)
        n_before = np.arange(len(self.members)) - self.starts[crowd]
        turns = np.minimum(n_before, np.where(self.lengths > SMALL, _HEADS, SMALL)[crowd])
        present = np.flatnonzero(turns)
        for turn in range(SMALL):
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
