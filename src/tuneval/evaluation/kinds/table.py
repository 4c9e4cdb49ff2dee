"""What is a table and no figure, such as a confusion matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.kinds.of_sums import Detail
from tuneval.evaluation.metric import About

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.sample import Clusters


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`table(items)` is all there is: no estimate, and nothing to compare."""

    about: About
    reason: Callable[[Item], str | None]
    table: Detail
    is_binary: bool = False

    def missing(self, item: Item) -> str | None:
        """As in `Metric`."""
        return self.reason(item)

    def estimate(
        self, items: Sequence[Item], *, clusters: Clusters | None, seed: int, level: float = 0.95
    ) -> None:
        """None: a table has no one figure."""

    def compare(
        self,
        a: Sequence[Item],
        b: Sequence[Item],
        *,
        clusters: Clusters | None,
        seed: int,
        level: float = 0.95,
    ) -> None:
        """None: a table has no one figure."""

    def detail(self, items: Sequence[Item]) -> Mapping[str, Any]:
        """As in `Metric`."""
        return self.table(items)
