"""Where the right options stand: whether one place is right more often than chance has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from tuneval.data.finding import Finding
from tuneval.evaluation.question import Question

LEVEL = 0.01
FEWEST = 20
"""Questions below which nothing is said of places."""


def skewed_positions(questions: Sequence[Question], strata: str | None) -> Iterator[Finding]:
    """`key.skewed` for the task, and for each stratum, where Pearson's chi-square test says so.

    The expected share of a place is one by the number of options of each question. Holm's
    adjustment over all tests. Questions with several right options, and repeats, do not count.
    """
    from tuneval.statistics.multiple import holm

    parts: dict[str, list[tuple[int, int]]] = defaultdict(list)
    seen: set[tuple[str, ...]] = set()
    for question in questions:
        place, n_options = _place(question)
        if place is None or (whole := (question.asked, *question.choices)) in seen:
            continue
        seen.add(whole)
        parts["the task"].append((place, n_options))
        if strata and strata in question.tags:
            parts[f"{strata} {question.tags[strata]}"].append((place, n_options))
    tested = {name: found for name, found in parts.items() if len(found) >= FEWEST}
    if len(tested) == 2:  # the task is its only stratum
        tested.pop("the task")
    p_values = holm([_p_value(found) for found in tested.values()])
    for (name, found), p_value in zip(tested.items(), p_values, strict=True):
        if p_value < LEVEL:
            yield _finding(name, found, p_value)


def _place(question: Question) -> tuple[int | None, int]:
    """The place of the only right option, and how many options there are."""
    if len(question.gold) == 1:
        return question.gold[0], len(question.choices)
    classes = list(question.fields.get("classes") or ())
    is_one = question.reference in classes and not question.gold
    return (classes.index(question.reference), len(classes)) if is_one else (None, 0)


def _counts(found: Sequence[tuple[int, int]]) -> tuple[list[int], list[float]]:
    """How often each place is right, and how often it would be by chance."""
    n_places = max(n for _, n in found)
    observed = np.bincount([place for place, _ in found], minlength=n_places)
    expected = [sum(1 / n for _, n in found if place < n) for place in range(n_places)]
    return observed.tolist(), expected


def _p_value(found: Sequence[tuple[int, int]]) -> float:
    from scipy.stats import chi2

    observed, expected = map(np.array, _counts(found))
    statistic = float(((observed - expected) ** 2 / expected).sum())
    return float(chi2.sf(statistic, len(expected) - 1)) if len(expected) > 1 else 1.0


def _finding(name: str, found: Sequence[tuple[int, int]], p_value: float) -> Finding:
    observed, expected = _counts(found)
    best = int(np.argmax(observed))
    shown = ", ".join(f"{chr(65 + place)} {count}" for place, count in enumerate(observed))
    n = len(found)
    return Finding(
        rule="key.skewed",
        severity="info",
        where=name,
        what=f"The right option is {shown} of {n} times (p = {p_value:.2g}): who always says "
        f"{chr(65 + best)} gets {observed[best] / n:.1%}, by chance {expected[best] / n:.1%}.",
        mend="compare with that share, not with chance; or shuffle the options",
    )
