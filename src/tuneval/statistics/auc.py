"""Area under the ROC curve: how well scores put the positive items above the negative ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtr
from scipy.stats import rankdata

from tuneval.statistics.estimate import Estimate
from tuneval.statistics.paired import PairedComparison
from tuneval.statistics.power import smallest_detectable_mean_difference
from tuneval.statistics.roc import both_classes
from tuneval.statistics.sample import (
    Clusters,
    Floats,
    cluster_numbers,
    finite_numbers,
    is_clustered,
    two_sided_t,
    two_sided_z,
)

_ROUNDING = 1e-12


Classes = Mapping[str, Sequence[bool]]
"""For each class which items are of it."""
Scores = Mapping[str, Sequence[float]]
"""For each class what each item scores for it."""


def auc(
    scores: ArrayLike,
    is_positive: Sequence[bool],
    *,
    clusters: Clusters | None = None,
    level: float = 0.95,
) -> Estimate:
    """The share of pairs (positive, negative) in which the positive scores higher; ties half.

    Interval: the variance of DeLong et al. (1988) on the logit scale; with clusters, its terms
    are summed in each (Obuchowski 1997) and Student's t is taken. Where that variance says
    nothing (no pair is wrong, none is right, a class has one item), Newcombe's (2006) score
    interval, his method 5. Raises StatisticsError unless there are both classes.
    """
    return _estimate(_Area.of(scores, is_positive, clusters), level)


def paired_auc(
    a: ArrayLike,
    b: ArrayLike,
    is_positive: Sequence[bool],
    *,
    clusters: Clusters | None = None,
    level: float = 0.95,
) -> PairedComparison:
    """The area of `b` less that of `a` on the same items: DeLong's interval and test.

    An item is higher under `b` when it stands above more (a positive) or below more (a negative)
    items of the other class. Where the variance says nothing, the interval is put together from
    those of the two areas (Zou and Donner 2008), which is rather too wide.
    """
    first, second = (_Area.of(scores, is_positive, clusters) for scores in (a, b))
    return _compared(first, second, level)


def mean_auc(
    scores: Scores, classes: Classes, *, clusters: Clusters | None = None, level: float = 0.95
) -> Estimate:
    """The mean over the classes of the area of each against the rest; interval as of one area."""
    return _estimate(_Area.mean(scores, classes, clusters), level)


def paired_mean_auc(
    a: Scores, b: Scores, classes: Classes, *, clusters: Clusters | None = None, level: float = 0.95
) -> PairedComparison:
    """The mean area of `b` less that of `a` on the same items, as `paired_auc` has it."""
    first, second = (_Area.mean(scores, classes, clusters) for scores in (a, b))
    return _compared(first, second, level)


def _estimate(area: _Area, level: float) -> Estimate:
    value, error = area.value, area.error(area.centred)
    if value in (0.0, 1.0) or error is None:
        low, high = area.newcombe(level)
        return area.estimate(value, low, high, level, "Newcombe")
    reach = area.quantile(level) * error / (value * (1 - value))
    low, high = (float(expit(logit(value) + side * reach)) for side in (-1, 1))
    return area.estimate(value, low, high, level, "DeLong, logit")


def _compared(first: _Area, second: _Area, level: float) -> PairedComparison:
    change = second.terms - first.terms
    higher, lower = int((change > _ROUNDING).sum()), int((change < -_ROUNDING).sum())
    difference, method = second.value - first.value, "DeLong"
    low: float | None = None
    high: float | None = None
    error = first.error(second.centred - first.centred)
    if error is not None:
        reach = first.quantile(level) * error
        low, high = max(-1.0, difference - reach), min(1.0, difference + reach)
    elif higher or lower:
        method = "Newcombe, Zou-Donner"
        (low_a, high_a), (low_b, high_b) = first.newcombe(level), second.newcombe(level)
        low = difference - math.hypot(second.value - low_b, high_a - first.value)
        high = difference + math.hypot(high_b - second.value, first.value - low_a)
        error = (difference - low if difference > 0 else high - difference) / two_sided_z(level)
    else:
        method = "none: no spread"
    return PairedComparison(
        difference=first.estimate(difference, low, high, level, method),
        test="DeLong",
        p_value=1.0 if error is None else 2 * float(ndtr(-abs(difference) / error)),
        n_higher=higher,
        n_lower=lower,
        n_equal=len(change) - higher - lower,
        detectable=None
        if error is None
        else smallest_detectable_mean_difference(error, level=level),
    )


@dataclass(frozen=True, slots=True)
class _Area:
    """An area and what it is made of.

    `terms` (n,): for each item the share of the other class that it is on the right side of.
    `centred` (n,): they less the area, divided by the size of their own class.
    """

    value: float
    terms: Floats
    centred: Floats
    positive: NDArray[np.bool_]
    clusters: NDArray[np.intp] | None
    of_several: bool = False

    @classmethod
    def of(cls, scores: ArrayLike, is_positive: Sequence[bool], clusters: Clusters | None) -> _Area:
        numbers = finite_numbers(scores, name="scores")
        positive = both_classes(is_positive, len(numbers))
        n_positive, n_negative = int(positive.sum()), int((~positive).sum())
        ranks, terms = rankdata(numbers), np.empty(len(numbers))
        terms[positive] = (ranks[positive] - rankdata(numbers[positive])) / n_negative
        terms[~positive] = 1 - (ranks[~positive] - rankdata(numbers[~positive])) / n_positive
        value = float(terms[positive].mean())
        centred = (terms - value) / np.where(positive, n_positive, n_negative)
        members = cluster_numbers(len(numbers), clusters) if is_clustered(clusters) else None
        return cls(value, terms, centred, positive, members)

    @classmethod
    def mean(cls, scores: Scores, classes: Classes, clusters: Clusters | None) -> _Area:
        """Of several classes; `positive` is the rarest one, whose pairs are the fewest."""
        parts = [cls.of(scores[name], members, clusters) for name, members in classes.items()]
        rarest = min(parts, key=lambda part: int(part.positive.sum()))
        return cls(
            float(np.mean([part.value for part in parts])),
            np.mean([part.terms for part in parts], axis=0),
            np.mean([part.inflated() for part in parts], axis=0),
            rarest.positive,
            rarest.clusters,
            of_several=True,
        )

    def inflated(self) -> Floats:
        """`centred` as far from 0 as the m - 1 in the divisor of each class's variance asks."""
        m, n = int(self.positive.sum()), int((~self.positive).sum())
        larger = np.where(self.positive, m / max(1, m - 1), n / max(1, n - 1))
        return np.asarray(self.centred * np.sqrt(larger))

    @property
    def n_clusters(self) -> int | None:
        return None if self.clusters is None else int(self.clusters.max()) + 1

    def quantile(self, level: float) -> float:
        n = self.n_clusters
        return two_sided_z(level) if n is None else two_sided_t(level, n - 1)

    def error(self, centred: Floats) -> float | None:
        """The standard error that such terms have; None where they do not tell it."""
        parts: list[Floats] = [centred[self.positive], centred[~self.positive]]
        if self.of_several:
            parts = [centred]
        if self.clusters is not None:
            parts = [np.bincount(self.clusters, centred).astype(np.float64)]
        if any(len(part) < 2 for part in parts):
            return None
        variance = sum(float(part @ part) * len(part) / (len(part) - 1) for part in parts)
        return float(variance**0.5) if variance > _ROUNDING**2 else None

    def newcombe(self, level: float) -> tuple[float, float]:
        """The areas that are as many standard errors, of their own, from the one found."""
        members = np.arange(len(self.positive)) if self.clusters is None else self.clusters
        m, n = (len(set(members[of_class])) for of_class in (self.positive, ~self.positive))
        z = two_sided_z(level)

        def too_far(area: float) -> float:
            spread = 1 + ((m + n) / 2 - 1) * ((1 - area) / (2 - area) + area / (1 + area))
            return abs(self.value - area) - z * math.sqrt(area * (1 - area) * spread / (m * n))

        # At 0 and 1 themselves the error is 0, and so a root that is no limit.
        inside = min(max(self.value, _ROUNDING), 1 - _ROUNDING)
        low = brentq(too_far, _ROUNDING, inside) if self.value > 0 else 0.0
        high = brentq(too_far, inside, 1 - _ROUNDING) if self.value < 1 else 1.0
        return float(low), float(high)

    def estimate(
        self, value: float, low: float | None, high: float | None, level: float, method: str
    ) -> Estimate:
        return Estimate(value, low, high, level, method, len(self.terms), self.n_clusters, "share")
