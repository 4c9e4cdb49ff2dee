"""Where the right options stand: whether one place is right more often than chance has it."""

from __future__ import annotations

import string
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tuneval.data.finding import Finding
from tuneval.evaluation.question import Question

LEVEL = 0.01
FEWEST = 20
"""Questions below which nothing is said of places."""
LETTERS = string.ascii_uppercase


class _Place(NamedTuple):
    """Where a right option stands among `n`, and what they are called if not by letters."""

    place: int
    n: int
    classes: tuple[str, ...] = ()


def skewed_positions(questions: Sequence[Question], strata: str | None) -> Iterator[Finding]:
    """`key.skewed` for the task, and for each stratum, where Pearson's chi-square test says so.

    The expected share of a place is one by the number of options of each question. Holm's
    adjustment over all tests. Questions with several right options, and repeats, do not count.
    """
    from tuneval.statistics.multiple import holm

    parts: dict[str, list[_Place]] = defaultdict(list)
    seen: set[tuple[str, ...]] = set()
    for question in questions:
        place = _place(question)
        if place is None or (whole := (question.asked, *question.choices)) in seen:
            continue
        seen.add(whole)
        parts["the task"].append(place)
        if strata and strata in question.tags:
            parts[f"{strata} {question.tags[strata]}"].append(place)
    tested = {name: found for name, found in parts.items() if len(found) >= FEWEST}
    if len(tested) == 2:  # the task is its only stratum
        tested.pop("the task")
    p_values = holm([_p_value(found) for found in tested.values()])
    for (name, found), p_value in zip(tested.items(), p_values, strict=True):
        if p_value < LEVEL:
            yield _finding(name, found, p_value)


def _place(question: Question) -> _Place | None:
    """The place of the only right option among all."""
    classes = tuple(map(str, question.fields.get("classes") or ()))
    if len(question.gold) == 1:
        n = len(question.choices)
        return _Place(question.gold[0], n, classes if len(classes) == n else ())
    is_one = question.reference in classes and not question.gold
    return _Place(classes.index(question.reference), len(classes), classes) if is_one else None


def _names(found: Sequence[_Place], n_places: int) -> Sequence[str]:
    """What the places are called: by their classes where all have the same, else by letters."""
    names = {place.classes for place in found}
    return next(iter(names)) if len(names) == 1 and names != {()} else LETTERS[:n_places]


def _counts(found: Sequence[_Place]) -> tuple[list[int], list[float]]:
    """How often each place is right, and how often it would be by chance."""
    n_places = max(one.n for one in found)
    observed = np.bincount([one.place for one in found], minlength=n_places)
    expected = [sum(1 / one.n for one in found if place < one.n) for place in range(n_places)]
    return observed.tolist(), expected


def _p_value(found: Sequence[_Place]) -> float:
    from scipy.stats import chi2

    observed, expected = map(np.array, _counts(found))
    statistic = float(((observed - expected) ** 2 / expected).sum())
    return float(chi2.sf(statistic, len(expected) - 1)) if len(expected) > 1 else 1.0


def _finding(name: str, found: Sequence[_Place], p_value: float) -> Finding:
    observed, expected = _counts(found)
    best = int(np.argmax(observed))
    names = _names(found, len(observed))
    shown = ", ".join(f"{name} {count}" for name, count in zip(names, observed, strict=True))
    n = len(found)
    return Finding(
        rule="key.skewed",
        severity="info",
        where=name,
        what=f"The right option is {shown} of {n} times (p = {p_value:.2g}): who always says "
        f"{names[best]} gets {observed[best] / n:.1%}, by chance {expected[best] / n:.1%}.",
        mend="compare with that share, not with chance; or shuffle the options",
    )
