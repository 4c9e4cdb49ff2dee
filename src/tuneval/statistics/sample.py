"""Checked numbers, and the clusters in which they hang together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

from tuneval.errors import StatisticsError

Floats = NDArray[np.float64]
Clusters = Sequence[Hashable | None]


def finite_numbers(values: ArrayLike, *, name: str = "values") -> Floats:
    """One-dimensional, non-empty, finite. Raises StatisticsError otherwise."""
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1:
        raise StatisticsError(f"The {name} must be one row of numbers, not {numbers.ndim}-D.")
    if numbers.size == 0:
        raise StatisticsError(
            f"There are no {name}: a number of nothing is not defined.",
            mend="check why no item could be scored",
        )
    if not np.isfinite(numbers).all():
        bad = np.flatnonzero(~np.isfinite(numbers))
        raise StatisticsError(
            f"{bad.size} of {numbers.size} {name} are not finite.",
            where=f"first at position {int(bad[0])}: {numbers[bad[0]]}",
            mend="leave items that could not be scored out, and count them with a reason",
        )
    return numbers


def is_clustered(clusters: Clusters | None) -> bool:
    """Whether any two items share a cluster."""
    if clusters is None:
        return False
    keys = [key for key in clusters if key is not None]
    return len(set(keys)) < len(keys)


def cluster_numbers(n: int, clusters: Clusters | None) -> NDArray[np.intp]:
    """The number of each item's cluster, (n,), counted from 0 in the order of the items."""
    if clusters is None:
        return np.arange(n)
    if len(clusters) != n:
        raise StatisticsError(
            f"There are {n} items but {len(clusters)} cluster keys.",
            mend="give one key per item, None for an item that stands alone",
        )
    numbers: dict[Hashable, int] = {}
    return np.array(
        [
            numbers.setdefault(("alone", position) if key is None else ("key", key), len(numbers))
            for position, key in enumerate(clusters)
        ],
        dtype=np.intp,
    )


def cluster_sums(columns: Floats, clusters: Clusters | None) -> Floats:
    """Sum of the rows (n, k) in each cluster, (n_clusters, k); the rows themselves without."""
    if clusters is None:
        return columns
    numbers = cluster_numbers(len(columns), clusters)
    sums = np.zeros((numbers.max(initial=-1) + 1, columns.shape[1]))
    np.add.at(sums, numbers, columns)
    return sums


def check_level(level: float) -> None:
    """Raises StatisticsError unless 0 < level < 1."""
    if not 0 < level < 1:
        raise StatisticsError(f"A level of {level} is not between 0 and 1.", mend="use 0.95")


def two_sided_z(level: float) -> float:
    """The normal quantile that leaves (1 - level) / 2 in each tail; 1.96 for 0.95."""
    check_level(level)
    return float(ndtri(0.5 + level / 2))


def two_sided_t(level: float, degrees_of_freedom: float) -> float:
    """The same of Student's t."""
    check_level(level)
    return float(stdtrit(degrees_of_freedom, 0.5 + level / 2))
