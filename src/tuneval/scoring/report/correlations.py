"""How the measures go together, pair by pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from tuneval.errors import StatisticsError
from tuneval.scoring.report.measures import Floats, MeasureFacts
from tuneval.statistics.correlation import spearman
from tuneval.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Correlation:
    """Spearman's, over the `n` examples that have both values; `why` says why there is none."""

    a: str
    b: str
    n: int
    estimate: Estimate | None
    why: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        estimate = self.estimate.as_dict() if self.estimate else None
        return {"a": self.a, "b": self.b, "n": self.n, "spearman": estimate, "why": self.why}


def correlations(measures: Sequence[MeasureFacts]) -> list[Correlation]:
    """Every pair of measures."""
    return [correlation(a.name, b.name, a.values, b.values) for a, b in combinations(measures, 2)]


def correlation(a: str, b: str, first: Floats, second: Floats) -> Correlation:
    """Of the pairs of which both values are finite."""
    both = np.isfinite(first) & np.isfinite(second)
    n = int(both.sum())
    try:
        return Correlation(a, b, n, spearman(first[both], second[both]))
    except StatisticsError as error:
        why = error.what if n > 1 else f"{n} examples have both"
        return Correlation(a, b, n, None, why)
