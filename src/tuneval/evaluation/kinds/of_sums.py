"""A function of sums over the items: a ratio, an F1, a loss per token."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.metric import About

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.estimate import Estimate
    from tuneval.statistics.paired import PairedComparison
    from tuneval.statistics.sample import Clusters, Floats

Columns = Callable[[Sequence["Item"]], "Floats"]
Statistic = Callable[["Floats"], "Floats"]
Detail = Callable[[Sequence["Item"]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfSums:
    """`statistic` of the sums of `columns`, which hold what each item adds, (n, k).

    `statistic` takes sums (..., k) and gives (...), so that a resample is a product of matrices.
    `columns` is given all items at once: both systems' where two are compared, so that both have
    the same classes. `is_share`: the columns are (right, all), and the interval is Wilson's with
    the effective number of items; else it is a BCa bootstrap.
    """

    about: About
    reason: Callable[[Item], str | None]
    columns: Columns
    statistic: Statistic
    is_share: bool = False
    table: Detail | None = None
    is_binary: bool = False

    def missing(self, item: Item) -> str | None:
        """As in `Metric`."""
        return self.reason(item)

    def estimate(
        self, items: Sequence[Item], *, clusters: Clusters | None, seed: int, level: float = 0.95
    ) -> Estimate | None:
        """As in `Metric`; None where no item adds anything (no class is expected anywhere)."""
        from tuneval.statistics.bootstrap import bootstrap
        from tuneval.statistics.proportion import clustered_wilson

        columns = self.columns(items)
        if not columns.size:
            return None
        if self.is_share:
            right, total = columns.T
            return clustered_wilson(right, total, clusters=clusters, level=level)
        return bootstrap(
            columns,
            self.statistic,
            seed=seed,
            clusters=clusters,
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
        """As in `Metric`."""
        from tuneval.statistics.paired_sums import paired_sums_comparison

        columns = self.columns([*a, *b])
        if not columns.size:
            return None
        return paired_sums_comparison(
            columns[: len(a)],
            columns[len(a) :],
            self.statistic,
            seed=seed,
            clusters=clusters,
            level=level,
            unit=self.about.unit,
        )

    def detail(self, items: Sequence[Item]) -> Mapping[str, Any] | None:
        """As in `Metric`."""
        return None if self.table is None else self.table(items)
