"""How often each value occurs, as long as there are few enough of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

MOST_VALUES = 1000
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCounts:
    """The values of a tag, label or field with their counts, the most frequent ones first.

    `n` values were counted. `n_different` is None when there were more than MOST_VALUES different
    ones: then `counts` is empty. It holds MOST_SHOWN of them at most.
    """

    name: str
    n: int
    n_different: int | None
    counts: tuple[tuple[str, int], ...]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": self.name,
            "n": self.n,
            "n_different": self.n_different,
            "counts": dict(self.counts),
        }


class Tally:
    """Counts values; it gives up, and says so, when there are too many different ones."""

    def __init__(self) -> None:
        self._counts: Counter[str] | None = Counter()
        self._n = 0

    def add(self, value: str) -> None:
        """The next value."""
        self._n += 1
        if self._counts is None:
            return
        self._counts[value] += 1
        if len(self._counts) > MOST_VALUES:
            self._counts = None

    def as_counts(self, name: str) -> ValueCounts:
        """The counts; of equally frequent values the one that came first stands first."""
        counts = self._counts
        return ValueCounts(
            name=name,
            n=self._n,
            n_different=None if counts is None else len(counts),
            counts=() if counts is None else tuple(counts.most_common(MOST_SHOWN)),
        )
