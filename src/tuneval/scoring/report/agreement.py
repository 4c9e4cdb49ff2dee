"""Whether two models would choose the same examples."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from tuneval.scoring.report.measures import Floats
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.proportion import clustered_wilson, wilson

TOP = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How many examples lie on a `side` of the neutral value in both, in one, in neither.

    `shared` is the share of those that lie there in the first which do in the second too.
    """

    side: Literal["below", "above"]
    n_both: int
    n_only_a: int
    n_only_b: int
    n_neither: int
    shared: Estimate | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "side": self.side,
            "both": self.n_both,
            "only_a": self.n_only_a,
            "only_b": self.n_only_b,
            "neither": self.n_neither,
            "shared": self.shared.as_dict() if self.shared else None,
        }


def top_overlap(a: Floats, b: Floats, share: float = TOP) -> Estimate | None:
    """The share of a's highest that are among b's highest. None where that is no example.

    Of equal values at the border each counts as the part that fits, so that no order of the file
    decides.
    """
    size = math.floor(share * len(a) + 1e-9)
    if size < 1:
        return None
    in_a, in_b = _membership(a, size), _membership(b, size)
    found = clustered_wilson(in_a * in_b, in_a)
    return replace(found, method="Wilson, effective n", n_clusters=None)


def _membership(values: Floats, size: int) -> Floats:
    border = np.sort(values)[-size]
    above, at = values > border, values == border
    part = (size - above.sum()) / at.sum()
    share: Floats = above + part * at
    return share


def agreement_of(a: Floats, b: Floats, neutral: float, unit: str) -> Agreement:
    """Which examples lie below the neutral value of a ratio, or above that of another unit."""
    side: Literal["below", "above"] = "below" if unit == "ratio" else "above"
    in_a, in_b = (v < neutral if side == "below" else v > neutral for v in (a, b))
    n_both, n_a = int((in_a & in_b).sum()), int(in_a.sum())
    return Agreement(
        side=side,
        n_both=n_both,
        n_only_a=n_a - n_both,
        n_only_b=int(in_b.sum()) - n_both,
        n_neither=int((~in_a & ~in_b).sum()),
        shared=wilson(n_both, n_a) if n_a else None,
    )
