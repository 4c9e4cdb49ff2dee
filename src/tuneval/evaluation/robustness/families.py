"""An answered question with the answers to its perturbed copies, found again among the items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuneval.evaluation.items import Item
from tuneval.evaluation.metric import Metric

PERTURBATION, ORIGINAL, COPIES = "perturbation", "original", "n_perturbed"
"""Keys of `Item.fields`: the perturbation of a copy, the id of its original; how many copies an
original has."""


@dataclass(frozen=True, slots=True)
class Family:
    """An item and its copies, those that count."""

    original: Item
    copies: tuple[Item, ...]


def is_copy(item: Item) -> bool:
    """Whether the item is another's question with a changed input."""
    return PERTURBATION in item.fields


def items_for(measure: Metric, items: Sequence[Item]) -> list[Item]:
    """The items that a metric is about: for most of them the questions as they are.

    A metric of robustness is given the copies too, and each original with the number of them.
    """
    originals = [item for item in items if not is_copy(item)]
    if measure.about.family != "robustness":
        return originals
    counts = dict.fromkeys((item.id for item in originals), 0)
    copies = [item for item in items if is_copy(item)]
    for copy in copies:
        if copy.fields.get(ORIGINAL) in counts:
            counts[copy.fields[ORIGINAL]] += 1
    if not any(counts.values()):
        return originals
    marked = [replace(item, fields={**item.fields, COPIES: counts[item.id]}) for item in originals]
    return [*marked, *copies]


def families(items: Sequence[Item]) -> list[Family]:
    """Every original with its copies, in the originals' order; a lost copy belongs to none."""
    copies: dict[str, list[Item]] = {item.id: [] for item in items if not is_copy(item)}
    for item in items:
        if is_copy(item) and item.fields.get(ORIGINAL) in copies:
            copies[item.fields[ORIGINAL]].append(item)
    return [Family(item, tuple(copies[item.id])) for item in items if not is_copy(item)]
