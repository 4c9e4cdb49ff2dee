"""Macro-averaged F1 over classes, a figure of the whole set, with interval and comparison.

Every item has the set of its labels: one label, none, or several. The classes are those that
are expected somewhere: an invented label costs its item the recall, but does not add a class,
so that two systems are averaged over the same classes.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence

import numpy as np

from tuneval.errors import StatisticsError
from tuneval.statistics.bootstrap import N_RESAMPLES, bootstrap
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.paired import PairedComparison
from tuneval.statistics.paired_sums import paired_sums_comparison
from tuneval.statistics.sample import Clusters, Floats

Labels = Sequence[Collection[Hashable]]


def macro_f1(predicted: Labels, expected: Labels) -> float:
    """Mean over the expected classes of each class's F1, 0..1. Raises StatisticsError for none."""
    return float(_macro_f1(_count(predicted, expected).sum(axis=0)))


def macro_f1_estimate(
    predicted: Labels,
    expected: Labels,
    *,
    seed: int,
    clusters: Clusters | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
) -> Estimate:
    """Macro-F1 with a BCa interval; a resample is averaged over the classes that it has."""
    return bootstrap(
        _count(predicted, expected),
        _macro_f1,
        seed=seed,
        clusters=clusters,
        n_resamples=n_resamples,
        level=level,
        unit="share",
    )


def macro_f1_comparison(
    a: Labels,
    b: Labels,
    expected: Labels,
    *,
    seed: int,
    clusters: Clusters | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
) -> PairedComparison:
    """Macro-F1 of b minus that of a, with interval and p-value."""
    return paired_sums_comparison(
        _count(a, expected),
        _count(b, expected),
        _macro_f1,
        seed=seed,
        clusters=clusters,
        n_resamples=n_resamples,
        level=level,
        unit="share",
    )


def _count(predicted: Labels, expected: Labels) -> Floats:
    """What each item adds, (n, 3 * classes): hits, predictions and expectations of each class."""
    if len(predicted) != len(expected):
        raise StatisticsError(f"{len(predicted)} predictions for {len(expected)} items.")
    places: dict[Hashable, int] = {}
    for labels in expected:
        for label in labels:
            places.setdefault(label, len(places))
    if not places:
        raise StatisticsError("Without any expected label there is no F1.")
    counts = np.zeros((len(expected), 3, len(places)))
    for row, said, true in zip(counts, predicted, expected, strict=True):
        for label in set(said):
            place = places.get(label)
            if place is not None:
                row[0, place] = label in true
                row[1, place] = 1
        for label in set(true):
            row[2, places[label]] = 1
    return counts.reshape(len(expected), -1)


def _macro_f1(sums: Floats) -> Floats:
    """Of sums (..., 3 * classes), the mean F1 over the classes that are expected there."""
    hits, said, true = np.split(sums, 3, axis=-1)
    present = true > 0
    f1 = np.where(present, 2 * hits / np.maximum(said + true, 1), 0.0)
    mean: Floats = f1.sum(axis=-1) / np.maximum(present.sum(axis=-1), 1)
    return mean
