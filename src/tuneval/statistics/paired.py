"""Two systems on the same items: the difference, its interval, and a test."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from tuneval.errors import StatisticsError
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.mcnemar import PairedTest, mcnemar
from tuneval.statistics.mean import bootstrap_mean, standard_error
from tuneval.statistics.power import (
    smallest_detectable_difference,
    smallest_detectable_mean_difference,
)
from tuneval.statistics.sample import (
    Clusters,
    Floats,
    cluster_sums,
    finite_numbers,
    is_clustered,
    two_sided_t,
    two_sided_z,
)

_ALL_FLIPS_UP_TO = 14
_CELLS_AT_ONCE = 131_072


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Everything a comparison of two systems on one metric says.

    `difference` is second minus first. `n_higher`, `n_lower` and `n_equal` count the items on
    which the second has the higher, lower, or same value. `detectable` is the least true
    difference that this many items reveal with 80% probability, None when none would be.
    """

    difference: Estimate
    test: str
    p_value: float
    n_higher: int
    n_lower: int
    n_equal: int
    detectable: float | None

    @property
    def n_discordant(self) -> int:
        """Items on which the two differ."""
        return self.n_higher + self.n_lower

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "n_discordant": self.n_discordant}


def paired_comparison(
    a: ArrayLike,
    b: ArrayLike,
    *,
    binary: bool,
    seed: int,
    clusters: Clusters | None = None,
    level: float = 0.95,
    unit: str = "share",
) -> PairedComparison:
    """Compare b with a, item by item.

    Binary: Tango's interval and McNemar's test. Otherwise: BCa bootstrap and a sign-flip
    permutation test. With clusters, both treat a cluster as one draw.
    """
    first, second = pairs(a, b)
    change = second - first
    clustered = is_clustered(clusters)
    difference = paired_difference(
        first, second, binary=binary, seed=seed, clusters=clusters, level=level, unit=unit
    )
    higher, lower = int((change > 0).sum()), int((change < 0).sum())
    detectable: float | None = None
    if binary and not clustered:
        test = mcnemar(higher, lower)
        discordance = (higher + lower) / len(change)
        detectable = smallest_detectable_difference(
            len(change), discordance=discordance, level=level
        )
    else:
        test = permutation_test(first, second, seed=seed, clusters=clusters)
        error = standard_error(change, clusters=clusters)
        if error is not None:
            freedom = len(cluster_sums(change[:, None], clusters)) - 1
            detectable = smallest_detectable_mean_difference(error, freedom, level=level)
    n_equal = len(change) - higher - lower
    return PairedComparison(
        difference, test.method, test.p_value, higher, lower, n_equal, detectable
    )


def paired_difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    binary: bool,
    seed: int,
    clusters: Clusters | None = None,
    level: float = 0.95,
    unit: str = "share",
) -> Estimate:
    """Mean of b - a. Tango's score interval when the values are 0 and 1, else BCa bootstrap."""
    first, second = pairs(a, b)
    change = second - first
    clusters = clusters if is_clustered(clusters) else None
    if not binary:
        return bootstrap_mean(change, seed=seed, clusters=clusters, level=level, unit=unit)
    if not (np.isin(first, (0, 1)).all() and np.isin(second, (0, 1)).all()):
        raise StatisticsError("Binary values are 0 or 1.", mend="say binary=False for others")
    gained, lost = int((change > 0).sum()), int((change < 0).sum())
    if clusters is None:
        return tango(gained, lost, len(change), level=level, unit=unit)
    return _clustered_tango(change, clusters, level=level, unit=unit)


def tango(gained: int, lost: int, n: int, *, level: float = 0.95, unit: str = "share") -> Estimate:
    """Score interval for the difference of two shares on the same n items. Tango (1998).

    `gained` items only the second gets right, `lost` only the first. It holds its coverage for
    a dozen items and for shares near 0 and 1, has no zero width when nothing flips, and agrees
    with McNemar's test: the reason to prefer it to a bootstrap or Wald interval here.
    """
    if n < 1 or gained < 0 or lost < 0 or gained + lost > n:
        raise StatisticsError(f"{gained} gained and {lost} lost of {n} items cannot be.")
    low, high = tango_limits(gained / n, lost / n, n, two_sided_z(level))
    return Estimate((gained - lost) / n, low, high, level, "Tango", n, unit=unit)


def permutation_test(
    a: ArrayLike,
    b: ArrayLike,
    *,
    seed: int,
    clusters: Clusters | None = None,
    n_resamples: int = 20_000,
) -> PairedTest:
    """Sign-flip test: were the two systems alike, swapping their values would change nothing.

    Clusters are swapped whole. All swaps are tried when there are few, else random ones.
    """
    first, second = pairs(a, b)
    changes = cluster_sums((second - first)[:, None], clusters)[:, 0]
    changes = changes[changes != 0]
    observed = abs(float(changes.sum())) * (1 - 1e-12)
    if len(changes) <= _ALL_FLIPS_UP_TO:
        numbers = np.arange(2 ** len(changes))[:, None]
        signs = 1 - 2 * (numbers >> np.arange(len(changes)) & 1)
        p_value = float((np.abs(signs @ changes) >= observed).mean())
        return PairedTest(p_value, "sign-flip exact")
    extreme = 0
    random = np.random.default_rng(seed)
    # numpy draws four of these small numbers at once: in blocks of fours none are lost.
    rows_at_once = max(4, _CELLS_AT_ONCE // len(changes) & -4)
    for start in range(0, n_resamples, rows_at_once):
        rows = min(rows_at_once, n_resamples - start)
        flipped = random.integers(0, 2, size=(rows, len(changes)), dtype=np.int8)
        sums = changes.sum() - 2 * (flipped @ changes)
        extreme += int((np.abs(sums) >= observed).sum())
    return PairedTest((extreme + 1) / (n_resamples + 1), "sign-flip permutation")


def _clustered_tango(change: Floats, clusters: Clusters, *, level: float, unit: str) -> Estimate:
    """Tango's interval with the effective number of items, and Student's t for the clusters."""
    n, difference = len(change), float(change.mean())
    sums = cluster_sums((change - difference)[:, None], clusters)[:, 0]
    n_clusters = len(sums)
    if n_clusters < 2:
        return Estimate(difference, None, None, level, "none: one cluster", n, n_clusters, unit)
    variance = n_clusters / (n_clusters - 1) * float(sums @ sums) / n**2
    effective = min(n, float(change.var()) / variance) if variance > 1e-24 else n_clusters
    low, high = tango_limits(
        float((change > 0).mean()),
        float((change < 0).mean()),
        effective,
        two_sided_t(level, n_clusters - 1),
    )
    return Estimate(difference, low, high, level, "Tango, clustered", n, n_clusters, unit)


def tango_limits(gained: float, lost: float, n: float, z: float) -> tuple[float, float]:
    """Tango's: where the score statistic for shares `gained` and `lost` of n items is z and -z."""
    difference = gained - lost

    def score(assumed: float) -> float:
        linear = (2 - difference) * assumed - gained - lost
        constant = -lost * assumed * (1 - assumed)
        # Share lost, most likely under the assumed difference: root of a quadratic equation.
        share_lost = (np.sqrt(max(linear**2 - 8 * constant, 0.0)) - linear) / 4
        variance = (2 * share_lost + assumed * (1 - assumed)) / n
        return float((difference - assumed) / np.sqrt(max(variance, 1e-300)))

    low = -1.0 if score(-1.0) <= z else brentq(lambda d: score(d) - z, -1.0, difference)
    high = 1.0 if score(1.0) >= -z else brentq(lambda d: score(d) + z, difference, 1.0)
    return float(low), float(high)


def pairs(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    """Both as checked rows of numbers. Raises StatisticsError where they are not as many."""
    first, second = finite_numbers(a, name="first values"), finite_numbers(b, name="second values")
    if len(first) != len(second):
        raise StatisticsError(
            f"{len(first)} values cannot be paired with {len(second)}.",
            mend="keep the items that both systems have a value for",
        )
    return first, second
