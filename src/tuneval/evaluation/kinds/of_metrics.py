"""A figure made of other metrics' figures, such as their weighted mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from tuneval.evaluation.kinds.of_sums import OfSums
from tuneval.evaluation.kinds.of_weights import OfWeights
from tuneval.evaluation.kinds.per_item import PerItem
from tuneval.evaluation.metric import About, OfNamedClass

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.bootstrap import WeightedStatistic
    from tuneval.statistics.estimate import Estimate
    from tuneval.statistics.paired import PairedComparison
    from tuneval.statistics.sample import Clusters, Floats

Figures = Mapping[str, "Floats"]


@runtime_checkable
class Weighable(Protocol):
    """A metric that gives its figure as a function of the items' weights, as `OfWeights` does."""

    @property
    def about(self) -> About:
        """As in `Metric`."""

    def missing(self, item: Item) -> str | None:
        """As in `Metric`."""

    def prepare(self, items: Sequence[Item]) -> WeightedStatistic:
        """As in `OfWeights`."""


Part = PerItem | OfSums | Weighable


@dataclass(frozen=True, slots=True, kw_only=True)
class OfMetrics:
    """`combine` of the figures of `parts`, by name; arrays in, an array of the same shape out.

    An item counts where it counts in every part. All parts are resampled together, so that the
    interval knows how they hang together. `weights` are shown beside the parts' figures.
    """

    about: About
    parts: Mapping[str, Part]
    combine: Callable[[Figures], Floats]
    weights: Mapping[str, float] | None = None
    is_binary: bool = False

    def missing(self, item: Item) -> str | None:
        """As in `Metric`."""
        for name, part in self.parts.items():
            reason = part.missing(item)
            if reason is not None:
                return f"{name}: {reason}"
        return None

    def estimate(
        self, items: Sequence[Item], *, clusters: Clusters | None, seed: int, level: float = 0.95
    ) -> Estimate | None:
        """As in `Metric`; None where it is not a finite number."""
        return self._of_weights.estimate(items, clusters=clusters, seed=seed, level=level)

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
        return self._of_weights.compare(a, b, clusters=clusters, seed=seed, level=level)

    def unknown_class(self, items: Sequence[Item]) -> str | None:
        """As in `OfNamedClass`, of the first part that has such a class."""
        for name, part in self.parts.items():
            reason = part.unknown_class(items) if isinstance(part, OfNamedClass) else None
            if reason is not None:
                return f"{name}: {reason}"
        return None

    def detail(self, items: Sequence[Item]) -> Mapping[str, Any] | None:
        """The figure of each part over the same items, and its weight."""
        import numpy as np

        once = np.ones((1, len(items)))
        parts = {name: float(_prepare(p, items)(once)[0]) for name, p in self.parts.items()}
        shown: dict[str, Any] = {"parts": parts}
        return shown if self.weights is None else shown | {"weights": dict(self.weights)}

    @property
    def _of_weights(self) -> OfWeights:
        return OfWeights(about=self.about, reason=self.missing, prepare=self._prepare)

    def _prepare(self, items: Sequence[Item]) -> WeightedStatistic:
        from tuneval.statistics.combined import combined_statistic

        parts = {name: _prepare(part, items) for name, part in self.parts.items()}
        return combined_statistic(parts, self.combine)


def _prepare(part: Part, items: Sequence[Item]) -> WeightedStatistic:
    """The part's figure as a function of the items' weights; of a mean the weighted one."""
    import numpy as np

    from tuneval.statistics.bootstrap import OfColumns

    if isinstance(part, PerItem):
        grades = part.values(items)
        columns = np.column_stack([grades, np.ones_like(grades)])
        return OfColumns(columns, lambda sums: sums[..., 0] / sums[..., 1])
    if isinstance(part, OfSums):
        columns = part.columns(items)
        if not columns.size:
            return OfColumns(np.zeros((len(items), 1)), lambda sums: sums[..., 0] * np.nan)
        return OfColumns(columns, part.statistic)
    return part.prepare(items)
