"""How far people or judges agree beyond chance, with intervals that resample the items.

Every coefficient is one minus the disagreement seen over the disagreement expected by chance:
1 is full agreement, 0 is chance, below 0 is worse than chance. The intervals are BCa bootstraps
of whole items, or of whole clusters of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np

from tuneval.errors import StatisticsError
from tuneval.statistics.bootstrap import N_RESAMPLES, Statistic, bootstrap
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.sample import Clusters, Floats

Rating = Hashable
Weights = Literal["nominal", "linear", "quadratic"]
Measurement = Literal["nominal", "ordinal", "interval", "ratio"]

MOST_CATEGORIES = 60
"""Krippendorff's alpha resamples a table of every pair of categories."""


def cohen_kappa(
    a: Sequence[Rating],
    b: Sequence[Rating],
    *,
    weights: Weights = "nominal",
    order: Sequence[Rating] | None = None,
    seed: int = 17,
    clusters: Clusters | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
) -> Estimate:
    """Agreement of two raters on the same items. Cohen (1960); weighted: Cohen (1968).

    Linear and quadratic weights count how many steps of `order` two ratings lie apart.
    Raises StatisticsError where all ratings are one and the same.
    """
    if len(a) != len(b):
        raise StatisticsError(f"{len(a)} ratings cannot be paired with {len(b)}.")
    if weights != "nominal" and order is None:
        raise StatisticsError("Weighted agreement needs the ratings in their order.")
    categories = list(order) if order is not None else _categories([a, b])
    first, second = (_one_hot(ratings, categories) for ratings in (a, b))
    apart = _steps(len(categories), weights)
    seen = np.einsum("ij,jk,ik->i", first, apart, second)
    width = len(categories)

    def kappa(sums: Floats) -> Floats:
        rows, columns = sums[..., :width], sums[..., width : 2 * width]
        expected = np.einsum("...j,jk,...k->...", rows, apart, columns) / sums[..., -1]
        return _beyond_chance(sums[..., -2], expected)

    columns = np.column_stack([first, second, seen, np.ones(len(a))])
    return _agreement(columns, kappa, seed, clusters, n_resamples, level)


def fleiss_kappa(
    ratings: Sequence[Sequence[Rating]],
    *,
    seed: int = 17,
    clusters: Clusters | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
) -> Estimate:
    """Agreement of equally many ratings of each item, whoever gave them. Fleiss (1971).

    Raises StatisticsError where items have unequal numbers of ratings, or fewer than two.
    """
    sizes = {len(row) for row in ratings}
    if len(sizes) != 1 or min(sizes) < 2:
        raise StatisticsError(
            "Fleiss' kappa needs equally many ratings of every item, at least two.",
            where=f"numbers of ratings: {', '.join(map(str, sorted(sizes))) or 'none'}",
            mend="use Krippendorff's alpha: it allows missing ratings",
        )
    (n_raters,) = sizes
    categories = _categories(ratings)
    counts = np.array([_one_hot(row, categories).sum(axis=0) for row in ratings])
    differing = 1 - (counts * (counts - 1)).sum(axis=1) / (n_raters * (n_raters - 1))

    def kappa(sums: Floats) -> Floats:
        n = sums[..., -1]
        shares = sums[..., :-2] / (n * n_raters)[..., None]
        return _beyond_chance(sums[..., -2], n * (1 - np.square(shares).sum(axis=-1)))

    columns = np.column_stack([counts, differing, np.ones(len(counts))])
    return _agreement(columns, kappa, seed, clusters, n_resamples, level)


def krippendorff_alpha(
    ratings: Sequence[Sequence[Rating | None]],
    *,
    measurement: Measurement = "nominal",
    seed: int = 17,
    clusters: Clusters | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
) -> Estimate:
    """Agreement of any number of ratings of each item, None where one is missing.

    Krippendorff (2011). Items with fewer than two ratings say nothing and do not count. Ratings
    other than nominal are numbers. The interval resamples items, not pairs of ratings.
    """
    rated = [[value for value in row if value is not None] for row in ratings]
    kept = [number for number, row in enumerate(rated) if len(row) > 1]
    if not kept:
        raise StatisticsError("No item has two ratings: there is nothing that could agree.")
    categories = _categories([rated[number] for number in kept])
    if len(categories) > MOST_CATEGORIES:
        raise StatisticsError(
            f"{len(categories)} different ratings are more than {MOST_CATEGORIES}.",
            mend="round the ratings to fewer steps",
        )
    counts = np.array([_one_hot(rated[number], categories).sum(axis=0) for number in kept])
    pairs = counts[:, :, None] * counts[:, None, :]
    places = np.arange(len(categories))
    pairs[:, places, places] -= counts
    pairs /= (counts.sum(axis=1) - 1)[:, None, None]
    width = len(categories)

    def alpha(sums: Floats) -> Floats:
        together = sums.reshape(*sums.shape[:-1], width, width)
        totals = together.sum(axis=-1)
        apart = _squared_distances(categories, totals, measurement)
        seen = (together * apart).sum(axis=(-2, -1))
        expected = np.einsum("...j,...jk,...k->...", totals, apart, totals)
        return _beyond_chance(seen, expected / np.maximum(totals.sum(axis=-1) - 1, 1))

    chosen = None if clusters is None else [clusters[number] for number in kept]
    columns = pairs.reshape(len(kept), -1)
    return _agreement(columns, alpha, seed, chosen, n_resamples, level)


def _agreement(
    columns: Floats,
    statistic: Statistic,
    seed: int,
    clusters: Clusters | None,
    n_resamples: int,
    level: float,
) -> Estimate:
    return bootstrap(
        columns, statistic, seed=seed, clusters=clusters, n_resamples=n_resamples, level=level
    )


def _beyond_chance(seen: Floats, expected: Floats) -> Floats:
    """1 - seen / expected; 0 in a resample of one category, which shows nothing."""
    varies = expected > 1e-12
    return np.where(varies, 1 - seen / np.where(varies, expected, 1.0), 0.0)


def _categories(rows: Sequence[Sequence[Rating]]) -> list[Rating]:
    """Every category that occurs, numbers in their order. Raises when there is one only."""
    found = list(dict.fromkeys(value for row in rows for value in row))
    if len(found) < 2:
        raise StatisticsError(
            "All ratings are the same: agreement beyond chance is not defined.",
            where=f"each is {found[0]!r}" if found else "there is none",
            mend="rate items on which the answer varies",
        )
    if all(isinstance(value, int | float) for value in found):
        found.sort(key=float)  # type: ignore[arg-type]  # all are numbers
    return found


def _one_hot(ratings: Sequence[Rating], categories: Sequence[Rating]) -> Floats:
    places = {category: place for place, category in enumerate(categories)}
    unknown = next((rating for rating in ratings if rating not in places), None)
    if unknown is not None:
        raise StatisticsError(f"The rating {unknown!r} is not in the order that was given.")
    hot = np.zeros((len(ratings), len(categories)))
    hot[np.arange(len(ratings)), [places[rating] for rating in ratings]] = 1
    return hot


def _steps(n: int, weights: Weights) -> Floats:
    """How much each pair of categories differs, (n, n)."""
    places = np.arange(n, dtype=np.float64)
    steps = np.abs(places[:, None] - places)
    if weights == "nominal":
        return (steps > 0).astype(np.float64)
    return steps if weights == "linear" else np.square(steps)


def _squared_distances(
    categories: Sequence[Rating], totals: Floats, measurement: Measurement
) -> Floats:
    """Krippendorff's metric differences, squared, (..., n, n); ordinal ones depend on `totals`."""
    if measurement == "nominal":
        return _steps(len(categories), "nominal")
    if not all(isinstance(category, int | float) for category in categories):
        raise StatisticsError(
            f"Ratings that are {measurement} must be numbers.", mend="use measurement='nominal'"
        )
    values = np.array(categories, dtype=np.float64)
    if measurement == "ordinal":
        middles = np.cumsum(totals, axis=-1) - totals / 2
        return np.square(middles[..., :, None] - middles[..., None, :])
    apart = values[:, None] - values
    if measurement == "ratio":
        both = values[:, None] + values
        apart = np.divide(apart, both, out=np.zeros_like(apart), where=both != 0)
    squared: Floats = np.square(apart)
    return squared
