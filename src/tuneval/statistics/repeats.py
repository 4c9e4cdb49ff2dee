"""What more items or more runs would show, from the parts of the variance of repeated runs.

Two models are compared by their mean scores over `n_runs` runs each. `shared`: on the same items,
taking it that items are as hard for the one as for the other, so that the item part cancels; this
is the best case. Otherwise each has items of its own: the worst case. The spread is taken to be
seen in the comparison itself, by a t test: in the runs of the two models with 2 (n_runs - 1)
degrees of freedom, which for three runs of each asks for a third more than the normal formula; in
the items with 2 (n_items - 1). The two together as in Cochran (1964), rather too large.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from tuneval.errors import StatisticsError
from tuneval.statistics.power import reach_of_t
from tuneval.statistics.variance import VarianceParts

Items = Literal["shared", "separate"]
_NEVER = 10**9
"""More items or runs than anybody has."""


def standard_error(parts: VarianceParts, *, n_items: int, n_runs: int) -> float:
    """Standard error of one model's mean score over so many runs of so many items."""
    items, run, rest = _variances(parts)
    return math.sqrt(items / n_items + run / n_runs + rest / (n_items * n_runs))


def smallest_difference(
    parts: VarianceParts,
    *,
    n_items: int,
    n_runs: int,
    items: Items,
    power: float = 0.8,
    level: float = 0.95,
) -> float:
    """The least true difference of two models that such a comparison reveals with `power`.

    Infinite where the spread would have to be seen in one run of each, or in one item.
    """
    of_items, run, rest = _variances(parts)
    among = 2 * of_items / n_items if items == "separate" else 0.0
    found = 0.0
    for variance, n in ((2 * (run + rest / n_items) / n_runs, n_runs), (among, n_items)):
        if variance > 0 and n < 2:
            return math.inf
        if variance > 0:
            found += reach_of_t(2 * (n - 1), power=power, level=level) ** 2 * variance
    return math.sqrt(found)


def items_needed(
    difference: float,
    parts: VarianceParts,
    *,
    n_runs: int,
    items: Items,
    power: float = 0.8,
    level: float = 0.95,
) -> int | None:
    """Items that reveal `difference` with so many runs; None where no number of items does."""
    return _least(
        lambda n: smallest_difference(
            parts, n_items=n, n_runs=n_runs, items=items, power=power, level=level
        ),
        difference,
    )


def runs_needed(
    difference: float,
    parts: VarianceParts,
    *,
    n_items: int,
    items: Items,
    power: float = 0.8,
    level: float = 0.95,
) -> int | None:
    """Runs that reveal `difference` on so many items; None where no number of runs does."""
    return _least(
        lambda n: smallest_difference(
            parts, n_items=n_items, n_runs=n, items=items, power=power, level=level
        ),
        difference,
    )


def _variances(parts: VarianceParts) -> tuple[float, float, float]:
    """Of one answer by its item, of a run, and of one answer by both together."""
    n = parts.n_items
    return n * parts.items.value**2, parts.run.value**2, n * parts.interaction.value**2


def _least(smallest: Callable[[int], float], difference: float) -> int | None:
    """The least number with which so small a difference is revealed; None from `_NEVER` on."""
    size = abs(difference)
    if size == 0:
        raise StatisticsError("No number of items or runs reveals a difference of 0.")
    if smallest(_NEVER) > size:
        return None
    too_few, enough = 0, 1
    while smallest(enough) > size:
        too_few, enough = enough, 2 * enough
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (middle, enough) if smallest(middle) > size else (too_few, middle)
    return enough
