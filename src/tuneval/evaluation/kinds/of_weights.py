"""A figure of the whole set that depends on how often each item is counted: an AUC, a mAP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.kinds.of_sums import Detail
from tuneval.evaluation.metric import About

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.bootstrap import WeightedStatistic
    from tuneval.statistics.estimate import Estimate
    from tuneval.statistics.paired import PairedComparison
    from tuneval.statistics.sample import Clusters


@dataclass(frozen=True, slots=True, kw_only=True)
class OfWeights:
    """`prepare(items)` does all that can be done once, and gives the figure of the items' weights.

    So a resample costs sums, and no sorting or matching. The interval is a BCa bootstrap. Two
    systems' items are prepared together. Where the figure is not defined it is nan: there is
    then no estimate.
    """

    about: About
    reason: Callable[[Item], str | None]
    prepare: Callable[[Sequence[Item]], WeightedStatistic]
    n_resamples: int = 2_000
    table: Detail | None = None
    is_binary: bool = False

    def missing(self, item: Item) -> str | None:
        """As in `Metric`."""
        return self.reason(item)

    def estimate(
        self, items: Sequence[Item], *, clusters: Clusters | None, seed: int, level: float = 0.95
    ) -> Estimate | None:
        """As in `Metric`; None where the figure is not defined."""
        from tuneval.statistics.bootstrap import weighted_bootstrap

        statistic = self.prepare(items)
        if not _is_defined(statistic, len(items)):
            return None
        return weighted_bootstrap(
            statistic,
            len(items),
            seed=seed,
            clusters=clusters,
            n_resamples=self.n_resamples,
            level=level,
            unit=self.about.unit,
        )

    def compare(
        self,
        a: Sequence[Item],
        b: Sequence[Item],
        *,
        clusters: Clusters | None,
        seed: int,
        level: float = 0.95,
    ) -> PairedComparison | None:
        """As in `Metric`; None where the figure of either is not defined."""
        import numpy as np

        from tuneval.statistics.paired_weights import paired_weights_comparison

        statistic = self.prepare([*a, *b])
        if np.isnan(statistic(np.repeat(np.eye(2), len(a), axis=1))).any():
            return None
        return paired_weights_comparison(
            statistic,
            len(a),
            seed=seed,
            clusters=clusters,
            n_resamples=self.n_resamples,
            level=level,
            unit=self.about.unit,
        )

    def detail(self, items: Sequence[Item]) -> Mapping[str, Any] | None:
        """As in `Metric`."""
        return None if self.table is None else self.table(items)


def _is_defined(statistic: WeightedStatistic, n: int) -> bool:
    import numpy as np

    return not np.isnan(statistic(np.ones((1, n)))[0])
