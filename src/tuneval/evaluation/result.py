"""What an evaluation says about one item, and about all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tuneval.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Grade:
    """One item's value on one metric, or the reason why it has none."""

    item_id: str
    value: float | None
    unscored: str | None = None


@dataclass(frozen=True, slots=True)
class MetricResult:
    """A metric over all items: its estimate, and how many could not be scored, by reason."""

    metric: str
    unit: str
    higher_is_better: bool
    estimate: Estimate | None
    unscored: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "unscored": dict(self.unscored)}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> MetricResult:
        """The result that `as_dict` wrote."""
        estimate = row["estimate"]
        return cls(
            **{**row, "estimate": None if estimate is None else Estimate.from_dict(estimate)}
        )
