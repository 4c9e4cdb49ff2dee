"""What more items or more runs would show, from the parts of the variance of repeated runs.

Two models are compared by their mean scores over `n_runs` runs each. `shared`: on the same items,
taking it that items are as hard for the one as for the other, so that the item part cancels; this
is the best case. Otherwise each has items of its own: the worst case. Normal approximation.
"""

from __future__ import annotations

import math
from typing import Literal

from scipy.special import ndtri

from tuneval.errors import StatisticsError
from tuneval.statistics.sample import two_sided_z
from tuneval.statistics.variance import VarianceParts

Items = Literal["shared", "separate"]


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
    """The least true difference of two models that such a comparison reveals with `power`."""
    per_item, fixed = _of_a_difference(parts, n_runs, items)
    return _reach(power, level) * math.sqrt(per_item / n_items + fixed)


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
    per_item, fixed = _of_a_difference(parts, n_runs, items)
    room = _room(difference, power, level) - fixed
    if room <= 0:
        return None
    return max(1, math.ceil(per_item / room))


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
    of_items, run, rest = _variances(parts)
    room = _room(difference, power, level) / 2 - (of_items / n_items if items == "separate" else 0)
    if room <= 0:
        return None
    return max(1, math.ceil((run + rest / n_items) / room))


def _variances(parts: VarianceParts) -> tuple[float, float, float]:
    """Of one answer by its item, of a run, and of one answer by both together."""
    n = parts.n_items
    return n * parts.items.value**2, parts.run.value**2, n * parts.interaction.value**2


def _of_a_difference(parts: VarianceParts, n_runs: int, items: Items) -> tuple[float, float]:
    """Variance of two models' difference: what is divided by the items, and what is not."""
    of_items, run, rest = _variances(parts)
    per_item = 2 * rest / n_runs + (2 * of_items if items == "separate" else 0.0)
    return per_item, 2 * run / n_runs


def _room(difference: float, power: float, level: float) -> float:
    """The largest variance of the difference with which it is revealed."""
    if difference == 0:
        raise StatisticsError("No number of items or runs reveals a difference of 0.")
    return (difference / _reach(power, level)) ** 2


def _reach(power: float, level: float) -> float:
    if not 0.5 <= power < 1:
        raise StatisticsError(f"A power of {power} is not from 0.5 to below 1.", mend="use 0.8")
    return two_sided_z(level) + float(ndtri(power))
