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
    margin: float | None = None,
    level: float = 0.95,
    unit: str = "share",
) -> SequentialComparison:
    """Follow the paired changes (second less first) in their order, each within ±`bound`.

    Waudby-Smith and Ramdas (2024), with a fixed mixture of stakes; for right and wrong it is
    close to the beta-binomial bet on the items that flip. Valid for any number of items and any
    distribution within the bound. Items of a cluster come together, at the cluster's first item.
    With a `margin` it also ends as soon as the interval lies within ±margin: alike. The order
    must not depend on the changes: shuffle items that are sorted by subject or hardness.
    """
    check_level(level)
    values = finite_numbers(changes, name="changes")
    if bound <= 0 or (np.abs(values) > bound * (1 + 1e-9)).any():
        raise StatisticsError(
            f"A change of {np.abs(values).max():g} is beyond the bound of {bound:g}.",
            mend="give the largest change that the metric allows",
        )
    sums = cluster_sums(np.column_stack([values, np.ones_like(values)]), clusters)
    sizes = sums[:, 1]
    # With unequal clusters a bet is on the whole change of a cluster, whose bound is the largest's.
    steps = sums[:, 0] / (bound * sizes.max())
    needed = -np.log1p(-level)
    evidence = _log_capital(steps, 0.0)
    crossed = np.flatnonzero(evidence >= needed)
    differs_at = int(crossed[0]) if crossed.size else None
    alike_at = None
    if margin is not None:
        alike_at = _first_alike(steps, sizes, margin / bound, needed, before=differs_at)
    unit_scale = bound * sizes.max() / sizes.mean()
    low, high = _interval(steps, needed)
    value = float(values.mean())
    at = alike_at if differs_at is None else differs_at
    verdict: Verdict = "undecided"
    if differs_at is not None:
        verdict = "higher" if steps[: differs_at + 1].sum() > 0 else "lower"
    elif alike_at is not None:
        verdict = "alike"
    return SequentialComparison(
        verdict=verdict,
        decided_after=None if at is None else int(sizes[: at + 1].sum()),
        n=len(values),
        p_value=float(min(1.0, np.exp(-evidence.max()))),
        difference=Estimate(
            value,
            min(value, max(-bound, low * unit_scale)),
            max(value, min(bound, high * unit_scale)),
            level,
            "confidence sequence by betting",
            len(values),
            None if clusters is None else len(sums),
            unit,
        ),
    )


def _log_capital(steps: Floats, mean: float) -> Floats:
    """Logarithm of the capital after each step, betting that their mean is not `mean`, (n,)."""
    stakes = _STAKES / (1 + abs(mean))
    grown = np.cumsum(np.log1p(stakes[:, None] * (steps - mean)), axis=1)
    return np.asarray(np.logaddexp.reduce(grown, axis=0) - np.log(len(stakes)))


def _interval(steps: Floats, needed: float) -> tuple[float, float]:
    """The means in [-1, 1] that the capital after the last step does not refute."""
    centre = float(steps.mean())

    def refuted(mean: float) -> bool:
        stakes = _STAKES / (1 + abs(mean))
        grown = np.log1p(stakes[:, None] * (steps - mean)).sum(axis=1)
        return bool(np.logaddexp.reduce(grown) - np.log(len(stakes)) >= needed)

    ends = []
    for end in (-1.0, 1.0):
        inside, outside = centre, end
        if not refuted(end):
            inside = end
        while abs(outside - inside) > 1e-5:
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if refuted(middle) else (middle, outside)
        ends.append(outside)
    return ends[0], ends[1]


def _first_alike(
    steps: Floats, sizes: Floats, margin: float, needed: float, *, before: int | None
) -> int | None:
    """The first of some evenly spread places at which the interval lies within ±margin."""
    last = len(steps) if before is None else before
    scale = sizes.max() / sizes.mean()
    for count in np.unique(np.linspace(1, last, _LOOKS).astype(int)) if last else ():
        low, high = _interval(steps[:count], needed)
        if -margin < low * scale and high * scale < margin:
            return int(count) - 1
    return None
