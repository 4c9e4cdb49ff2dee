"""What a metric says about all items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tuneval.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True)
class MetricResult:
    """A metric over all items: its estimate, and how many could not be scored, by reason.

    `detail` is what one number cannot hold, as the metric gave it.
    """

    metric: str
    unit: str
    higher_is_better: bool | None
    estimate: Estimate | None
    unscored: Mapping[str, int] = field(default_factory=dict)
    detail: Mapping[str, Any] | None = None

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
