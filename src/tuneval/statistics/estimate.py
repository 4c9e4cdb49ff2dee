"""The one form in which a measurement travels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval. `n` counts items, `n_clusters` independent groups of them.

    `low` and `high` are None when the sample cannot support an interval (n = 1, say).
    `unit` is "share" (0..1, shown as per cent), "points" (already on a scale of 100), or ""
    for plain numbers.
    """

    value: float
    low: float | None
    high: float | None
    level: float
    method: str
    n: int
    n_clusters: int | None = None
    unit: str = "share"

    def excludes(self, number: float) -> bool:
        """Whether `number` lies outside the interval."""
        if self.low is None or self.high is None:
            return False
        return not self.low <= number <= self.high

    def __str__(self) -> str:
        scale, sign = (100.0, "%") if self.unit == "share" else (1.0, "")
        digits = 1 if self.unit in ("share", "points") else 3
        text = f"{self.value * scale:.{digits}f}{sign}"
        if self.low is not None and self.high is not None:
            text += f" [{self.low * scale:.{digits}f}, {self.high * scale:.{digits}f}]"
        return f"{text}, n={self.n}"

    def mapped(self, increasing: Callable[[float], float], *, unit: str = "") -> Estimate:
        """Value and interval through an increasing function: mean loss to perplexity by `exp`."""
        return replace(
            self,
            value=increasing(self.value),
            low=None if self.low is None else increasing(self.low),
            high=None if self.high is None else increasing(self.high),
            unit=unit,
        )

    def within(self, least: float, most: float) -> Estimate:
        """The same with its interval cut to what the figure can be."""
        if self.low is None or self.high is None:
            return self
        return replace(self, low=max(least, self.low), high=min(most, self.high))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Estimate:
        """The Estimate that `as_dict` wrote."""
        return cls(**row)
