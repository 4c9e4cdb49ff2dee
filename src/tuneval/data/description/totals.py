"""Sums over a set: a model's tokens, and the parts that a facet makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tuneval.data.cutting.drawing import Strata
from tuneval.data.cutting.facet import Facet
from tuneval.data.description.facts import LIMITS, PartSummary, Tokens
from tuneval.data.description.gathering import in_order
from tuneval.data.description.lengths import Lengths
from tuneval.data.example import Item
from tuneval.errors import DataError


@dataclass(frozen=True, slots=True)
class TokenCount:
    """An item's tokens in all, those that carry loss, and those of its longest sequence.

    A preference is two sequences; every other item is one.
    """

    total: int
    trained: int
    longest: int


@dataclass(frozen=True, slots=True)
class TokenCounter:
    """Counts as a model does. `item` raises DataError when the template cannot take it."""

    model: str
    template: str
    item: Callable[[Item], TokenCount]
    text: Callable[[str], int]


class TokenTotals:
    """Sums of token counts."""

    def __init__(self) -> None:
        self._total = self._trained = self._n_uncounted = 0
        self._first_uncounted = ""
        self._longer_than = dict.fromkeys(LIMITS, 0)

    def add(self, item: Item, counter: TokenCounter) -> int | None:
        """Count an item; the length of its longest sequence, or None when it has no count."""
        try:
            count = counter.item(item)
        except DataError as error:
            self._n_uncounted += 1
            self._first_uncounted = self._first_uncounted or f"{item.source}  {error.what}"
            return None
        self._total += count.total
        self._trained += count.trained
        for limit in LIMITS:
            self._longer_than[limit] += count.longest > limit
        return count.longest

    def tokens(self, counter: TokenCounter) -> Tokens:
        """The sums."""
        return Tokens(
            model=counter.model,
            template=counter.template,
            total=self._total,
            trained=self._trained,
            longer_than=self._longer_than,
            n_uncounted=self._n_uncounted,
            first_uncounted=self._first_uncounted,
        )


class Parts:
    """The set once more, by the values of a facet."""

    def __init__(self, by: str) -> None:
        self.name = by
        self._facet = Facet(by)
        self._values = Strata(by)
        self._lengths: list[Lengths] = []
        self._turns: list[int] = []
        self._languages: list[Counter[str]] = []
        self._n: list[int] = []

    def add(self, item: Item, length: int | None, n_turns: int, spoken: str) -> None:
        """The next item, its length and turns, and the language of its response."""
        number = self._values.number(self._facet.of(item))
        if number == len(self._n):
            self._lengths.append(Lengths())
            self._turns.append(0)
            self._languages.append(Counter())
            self._n.append(0)
        if length is not None:
            self._lengths[number].add(length)
        self._turns[number] += n_turns
        self._languages[number][spoken] += 1
        self._n[number] += 1

    def summaries(self, n: int) -> tuple[PartSummary, ...]:
        """The most frequent value first."""
        self._facet.refuse_if_absent()
        order = sorted(range(len(self._n)), key=lambda number: -self._n[number])
        return tuple(
            PartSummary(
                value=self._values.values[number],
                n_records=self._n[number],
                share=self._n[number] / n,
                lengths=self._lengths[number].spread(),
                mean_turns=self._turns[number] / self._n[number],
                languages=in_order(self._languages[number]),
            )
            for number in order
        )
