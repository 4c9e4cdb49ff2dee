"""Precision, recall and F1 over classes, figures of the whole set, as sums over items.

Every item has the set of its labels: one label, none, or several. The classes are those that
are expected somewhere: an invented label costs its item the recall, but does not add a class,
so that two systems are averaged over the same classes.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from typing import NamedTuple

import numpy as np

from tuneval.errors import StatisticsError
from tuneval.statistics.sample import Floats

Labels = Sequence[Collection[Hashable]]


def macro_f1(predicted: Labels, expected: Labels) -> float:
    """Mean over the expected classes of each class's F1, 0..1. Raises StatisticsError for none."""
    counts = label_counts(predicted, expected)
    if not counts.size:
        raise StatisticsError("Without any expected label there is no F1.")
    return float(macro_f1_of_sums(counts.sum(axis=0)))


def label_counts(predicted: Labels, expected: Labels) -> Floats:
    """What each item adds, (n, 3 * classes): hits, predictions and expectations of each class.

    Without any expected label there is no class, and no column.
    """
    if len(predicted) != len(expected):
        raise StatisticsError(f"{len(predicted)} predictions for {len(expected)} items.")
    places: dict[Hashable, int] = {}
    for labels in expected:
        for label in labels:
            places.setdefault(label, len(places))
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


class PerClass(NamedTuple):
    """Each class's figures (..., classes), 0 where a divisor is 0, and how often it is expected."""

    precision: Floats
    recall: Floats
    f1: Floats
    support: Floats


def per_class_of_sums(sums: Floats) -> PerClass:
    """The classes' figures, of sums (..., 3 * classes) of `label_counts`."""
    hits, said, true = np.split(sums, 3, axis=-1)
    return PerClass(
        precision=np.asarray(hits / np.maximum(said, 1)),
        recall=np.asarray(hits / np.maximum(true, 1)),
        f1=np.asarray(2 * hits / np.maximum(said + true, 1)),
        support=true,
    )


def macro_mean(values: Floats, support: Floats) -> Floats:
    """The mean over the classes that are expected at all, (...); the values of others are 0."""
    mean: Floats = values.sum(axis=-1) / np.maximum((support > 0).sum(axis=-1), 1)
    return mean


def weighted_mean(values: Floats, support: Floats) -> Floats:
    """The mean over the classes, each weighing as often as it is expected, (...)."""
    mean: Floats = (values * support).sum(axis=-1) / np.maximum(support.sum(axis=-1), 1)
    return mean


def macro_f1_of_sums(sums: Floats) -> Floats:
    """Of sums (..., 3 * classes), the mean F1 over the classes that are expected there."""
    found = per_class_of_sums(sums)
    return macro_mean(found.f1, found.support)
