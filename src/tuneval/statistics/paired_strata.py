"""Two systems on the same items, by a weighted mean over strata, such as a macro average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from tuneval.statistics.estimate import Estimate
from tuneval.statistics.paired import PairedComparison, pairs, permutation_test, tango_limits
from tuneval.statistics.power import smallest_detectable_mean_difference
from tuneval.statistics.sample import Clusters, Floats, is_clustered, two_sided_t
from tuneval.statistics.stratified import Key, WeightedMean, item_weights, weighted_mean


def paired_strata_comparison(
    a: ArrayLike,
    b: ArrayLike,
    strata: Sequence[Key],
    *,
    weights: Mapping[Key, float],
    binary: bool,
    seed: int,
    clusters: Clusters | None = None,
    level: float = 0.95,
    unit: str = "share",
) -> PairedComparison:
    """The weighted mean of b less that of a, as `stratified_mean` has them.

    Its standard error is that of the strata's mean differences. Binary: Tango's limits with the
    effective number of items; otherwise Student's t. The test swaps the systems' values of an
    item, or of a whole cluster, at random, and looks at the weighted difference: McNemar's counts
    every flip alike, whatever it weighs.
    """
    first, second = pairs(a, b)
    change = second - first
    clusters = clusters if is_clustered(clusters) else None
    mean = weighted_mean(change, strata, weights=weights, clusters=clusters)
    weight = item_weights(strata, mean.shares)
    test = permutation_test(first * weight, second * weight, seed=seed, clusters=clusters)
    why = " (McNemar counts items alike)" if binary else ""
    higher, lower = int((change > 0).sum()), int((change < 0).sum())
    detectable = None
    if mean.freedom is not None and mean.variance > 0:
        detectable = smallest_detectable_mean_difference(
            mean.variance**0.5, mean.freedom, level=level
        )
    found = _limits(mean, change, weight, binary=binary, level=level)
    counted = None if clusters is None else mean.n_clusters
    return PairedComparison(
        difference=Estimate(mean.value, *found, mean.n, counted, unit),
        test=f"{test.method}, weighted{why}",
        p_value=test.p_value,
        n_higher=higher,
        n_lower=lower,
        n_equal=mean.n - higher - lower,
        detectable=detectable,
    )


def _limits(
    mean: WeightedMean, change: Floats, weight: Floats, *, binary: bool, level: float
) -> tuple[float | None, float | None, float, str]:
    """Lower and upper limit of the difference, their level, and the method."""
    if mean.freedom is None or (mean.variance == 0 and not binary):
        return None, None, level, "none: one item" if mean.n_clusters < 2 else "none: no spread"
    edge = two_sided_t(level, mean.freedom)
    if not binary:
        reach = edge * mean.variance**0.5
        return mean.value - reach, mean.value + reach, level, "stratified Student t"
    gained, lost = float(np.mean(weight * (change > 0))), float(np.mean(weight * (change < 0)))
    effective = float(mean.n_clusters)
    if mean.variance > 0:
        effective = (gained + lost - mean.value**2) / mean.variance
    return *tango_limits(gained, lost, effective, edge), level, "stratified Tango"
