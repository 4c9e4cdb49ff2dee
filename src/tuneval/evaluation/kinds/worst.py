"""A metric of items at their worst, over their own input and every perturbed one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.kinds.drop import NOT_PERTURBED
from tuneval.evaluation.kinds.per_item import PerItem
from tuneval.evaluation.metric import About, Metric
from tuneval.evaluation.robustness.families import COPIES, families, is_copy

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.estimate import Estimate
    from tuneval.statistics.paired import PairedComparison
    from tuneval.statistics.sample import Clusters


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """`inner` of each item at the worst over its own input and all changed ones.

    The worst is the lowest grade where higher is better, else the highest. An item that no
    perturbation changes counts as it is, so that the figure compares with `inner` itself.
    """

    about: About
    inner: Metric

    @property
    def is_binary(self) -> bool:
        """As in `Metric`."""
        return self.inner.is_binary

    def missing(self, item: Item) -> str | None:
        """As in `Metric`."""
        if not isinstance(self.inner, PerItem) or self.inner.about.higher_is_better is None:
            return f"'{self.inner.about.name}' has no better and worse of one item"
        if not is_copy(item) and COPIES not in item.fields:
            return NOT_PERTURBED
        return self.inner.missing(item)

    def estimate(
        self, items: Sequence[Item], *, clusters: Clusters | None, seed: int, level: float = 0.95
    ) -> Estimate | None:
        """As in `Metric`; one grade for each original. `clusters` plays no part."""
        worst = list(self.worst_of(items).values())
        if not worst:
            return None
        return self.inner.estimate(worst, clusters=_groups(worst), seed=seed, level=level)

    def compare(
        self,
        a: Sequence[Item],
        b: Sequence[Item],
        *,
        clusters: Clusters | None,
        seed: int,
        level: float = 0.95,
    ) -> PairedComparison | None:
        """As in `Metric`."""
        first, second = (list(self.worst_of(items).values()) for items in (a, b))
        if not first:
            return None
        return self.inner.compare(first, second, clusters=_groups(first), seed=seed, level=level)

    def detail(self, items: Sequence[Item]) -> Mapping[str, Any] | None:
        """As in `Metric`: nothing."""
        return None

    def worst_of(self, items: Sequence[Item]) -> dict[str, Item]:
        """Of each original, by its id, the item of its family with the worst grade."""
        if not isinstance(self.inner, PerItem):
            return {}
        worse = min if self.inner.about.higher_is_better else max
        return {
            f.original.id: worse([f.original, *f.copies], key=self.inner.known)
            for f in families(items)
        }


def _groups(items: Sequence[Item]) -> Clusters | None:
    from tuneval.statistics.sample import is_clustered

    groups = [item.group for item in items]
    return groups if is_clustered(groups) else None
