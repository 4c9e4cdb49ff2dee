"""A paired comparison that may be looked at after every item, and stopped when it is decided.

Looking often at an ordinary test until it is below 5% finds a difference where there is none in far
more than 5% of the cases. Here the evidence is a bet against equality whose capital is not expected
to grow if the two are alike: it exceeds 20 at any time in at most 5% of the cases (Ville 1939).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from tuneval.errors import StatisticsError
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.sample import Clusters, Floats, check_level, cluster_sums, finite_numbers

Verdict = Literal["higher", "lower", "alike", "undecided"]

# Stakes, dense about 0: small stakes pay for small differences. Their capitals are averaged.
_STAKES = np.linspace(-1.0, 1.0, 101) * np.abs(np.linspace(-1.0, 1.0, 101)) * 0.999
_LOOKS = 64
"""How many times, evenly spread, the interval is looked at; the test is looked at always."""
_UNDECIDED: Verdict = "undecided"


@dataclass(frozen=True, slots=True)
class SequentialComparison:
    """What a comparison in this order of items comes to, and after how many it was decided.

    `difference` has the interval that holds at any time of stopping, over all items that were
    given. `p_value` holds at any time too. `decided_after` counts items, None when undecided.
    """

    verdict: Verdict
    decided_after: int | None
    n: int
    p_value: float
    difference: Estimate

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def sequential_comparison(
    changes: ArrayLike,
    *,
    bound: float,
    clusters: Clusters | None = None,
    weights: ArrayLike | None = None,
    largest: float | None = None,
    margin: float | None = None,
    level: float = 0.95,
    unit: str = "share",
) -> SequentialComparison:
    """Follow the paired changes (second less first) in their order, each within ±`bound`.

    Waudby-Smith and Ramdas (2024), with a fixed mixture of stakes; for right and wrong it is
    close to the beta-binomial bet on the items that flip. Valid for any number of items and any
    distribution within the bound. Items of a cluster come together, at the cluster's first item,
    and a bet is on all of a cluster: on its change less so much an item. `weights` are those of
    the items in the mean, alike unless given. `largest` is the weight of the heaviest cluster that
    may come. It must be known beforehand: a stake that follows the largest so far is no fair bet.
    Left out, it is that of `changes`, which then must be all there are. With a `margin` it also
    ends as soon as the interval lies within ±margin: alike. The order must not depend on the
    changes: shuffle items that are sorted by subject or hardness.
    """
    check_level(level)
    values = finite_numbers(changes, name="changes")
    if bound <= 0 or (np.abs(values) > bound * (1 + 1e-9)).any():
        raise StatisticsError(
            f"A change of {np.abs(values).max():g} is beyond the bound of {bound:g}.",
            mend="give the largest change that the metric allows",
        )
    weight = np.ones_like(values) if weights is None else finite_numbers(weights, name="weights")
    columns = np.column_stack([values * weight, weight, np.ones_like(values)])
    gained, sizes, counts = cluster_sums(columns, clusters).T
    heaviest = float(sizes.max()) if largest is None else largest
    if (sizes > heaviest * (1 + 1e-9)).any():
        raise StatisticsError(
            f"A cluster of weight {sizes.max():g} came, and {heaviest:g} was to be the largest."
        )
    bets = _Bets(gained / (bound * heaviest), sizes / heaviest)
    needed = -np.log1p(-level)
    evidence = bets.log_capital(0.0)
    crossed = np.flatnonzero(evidence >= needed)
    at = int(crossed[0]) if crossed.size else None
    verdict = _UNDECIDED
    if at is not None:
        verdict = "higher" if gained[: at + 1].sum() > 0 else "lower"
    if margin is not None:
        alike_at = _first_alike(bets.upto(len(sizes) if at is None else at), margin / bound, needed)
        at, verdict = (at, verdict) if alike_at is None else (alike_at, "alike")
    low, high = bets.interval(needed)
    value = float(gained.sum() / sizes.sum())
    return SequentialComparison(
        verdict=verdict,
        decided_after=None if at is None else int(counts[: at + 1].sum()),
        n=len(values),
        p_value=float(min(1.0, np.exp(-evidence.max()))),
        difference=Estimate(
            value,
            min(value, low * bound),
            max(value, high * bound),
            level,
            "confidence sequence by betting",
            len(values),
            None if clusters is None else len(sizes),
            unit,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Bets:
    """Clusters one after the other: `gains` (n,) of a mean in [-1, 1] times `sizes` (n,), <= 1.

    Against a mean m a stake of s turns the capital by 1 + s (gain - m size), which is not expected
    to grow where m is the mean.
    """

    gains: Floats
    sizes: Floats

    def log_capital(self, mean: float) -> Floats:
        """Logarithm of the capital after each cluster, betting against `mean`, (n,)."""
        stakes = _STAKES / (1 + abs(mean))
        grown = np.cumsum(np.log1p(stakes[:, None] * (self.gains - mean * self.sizes)), axis=1)
        return np.asarray(np.logaddexp.reduce(grown, axis=0) - np.log(len(stakes)))

    def upto(self, count: int) -> _Bets:
        """The first so many of them."""
        return _Bets(self.gains[:count], self.sizes[:count])

    def refutes(self, mean: float, needed: float) -> bool:
        """Whether the capital after the last cluster is as large as needed."""
        stakes = _STAKES / (1 + abs(mean))
        grown = np.log1p(stakes[:, None] * (self.gains - mean * self.sizes)).sum(axis=1)
        return bool(np.logaddexp.reduce(grown) - np.log(len(stakes)) >= needed)

    def interval(self, needed: float) -> tuple[float, float]:
        """The means in [-1, 1] that the capital after the last cluster does not refute."""
        centre = float(self.gains.sum() / self.sizes.sum())
        ends = []
        for end in (-1.0, 1.0):
            inside, outside = centre, end
            if not self.refutes(end, needed):
                inside = end
            while abs(outside - inside) > 1e-5:
                middle = (inside + outside) / 2
                is_out = self.refutes(middle, needed)
                inside, outside = (inside, middle) if is_out else (middle, outside)
            ends.append(outside)
        return ends[0], ends[1]


def _first_alike(bets: _Bets, margin: float, needed: float) -> int | None:
    """The first of some evenly spread places at which the interval lies within ±margin."""
    n = len(bets.gains)
    for count in np.unique(np.linspace(1, n, _LOOKS).astype(int)) if n else ():
        low, high = bets.upto(int(count)).interval(needed)
        if -margin < low and high < margin:
            return int(count) - 1
    return None
