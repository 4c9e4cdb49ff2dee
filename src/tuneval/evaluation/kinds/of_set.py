"""A figure of the whole set that is no function of sums, such as its distinct n-grams."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.metric import About

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.estimate import Estimate
    from tuneval.statistics.jackknife import LeftOut
    from tuneval.statistics.paired import PairedComparison
    from tuneval.statistics.sample import Clusters


@dataclass(frozen=True, slots=True, kw_only=True)
class OfSet:
    """`left_out` gives the figure of all items and that without each cluster, in their order.

    It gives None where the figure is not defined. `own` is the figure of one item alone, 0 where
    it has none: it tells which items rose and fell. The interval is a jackknife's, cut to the
    metric's range.
    """

    about: About
    reason: Callable[[Item], str | None]
    left_out: Callable[[Sequence[Item], Clusters | None], LeftOut | None]
    own: Callable[[Item], float]
    is_binary: bool = False

    def missing(self, item: Item) -> str | None:
        """As in `Metric`."""
        return self.reason(item)

    def estimate(
        self, items: Sequence[Item], *, clusters: Clusters | None, seed: int, level: float = 0.95
    ) -> Estimate | None:
        """As in `Metric`; nothing is drawn, so `seed` plays no part."""
        found = self.left_out(items, clusters)
        if found is None:
            return None
        return found.estimate(level=level, unit=self.about.unit).within(*self.about.range)

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
        import numpy as np

        from tuneval.statistics.jackknife import paired_jackknife

        first, second = self.left_out(a, clusters), self.left_out(b, clusters)
        if first is None or second is None:
            return None
        changes = np.array([self.own(y) - self.own(x) for x, y in zip(a, b, strict=True)])
        return paired_jackknife(first, second, changes, level=level, unit=self.about.unit)

    def detail(self, items: Sequence[Item]) -> Mapping[str, Any] | None:
        """As in `Metric`: nothing."""
        return None
