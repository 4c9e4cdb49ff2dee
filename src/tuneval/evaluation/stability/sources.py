"""Which of several sources moves the answers more, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tuneval.evaluation.stability.layout import Layout
from tuneval.statistics.paired import PairedComparison, paired_comparison

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class SourcesCompared:
    """The variance of an item between runs under `second`, less that under `first`, item by item.

    `moves_more` is the source that is shown to move answers more (p below 0.05, and an interval
    without 0); None where that cannot be told.
    """

    metric: str
    first: str
    second: str
    comparison: PairedComparison
    moves_more: str | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def compare_sources(
    first: tuple[str, Layout], second: tuple[str, Layout], *, seed: int
) -> SourcesCompared | None:
    """Compare two sources on the items that both have; None where figures are no means of items.

    What few runs say of their own spread is little; that most items answer alike in all runs
    under one source and not under the other shows with a handful of runs.
    """
    (name, one), (other_name, other) = first, second
    variances = [_variances(layout) for layout in (one, other)]
    if variances[0] is None or variances[1] is None:
        return None
    common = [item for item in one.ids if item in variances[1]]
    if not common:
        return None
    groups = dict(zip(one.ids, one.clusters, strict=True)) if one.clusters is not None else None
    compared = paired_comparison(
        [variances[0][item] for item in common],
        [variances[1][item] for item in common],
        binary=False,
        seed=seed,
        clusters=None if groups is None else [groups[item] for item in common],
        unit="",
    )
    moves_more = None
    if compared.p_value < ALPHA and compared.difference.excludes(0.0):
        moves_more = other_name if compared.difference.value > 0 else name
    return SourcesCompared(one.metric, name, other_name, compared, moves_more)


def _variances(layout: Layout) -> dict[str, float] | None:
    if layout.answers is None:
        return None
    values = layout.answers
    # Equal values may leave a variance of the order of rounding.
    varies = values.max(axis=1) > values.min(axis=1)
    found = values.var(axis=1, ddof=1) * varies
    return dict(zip(layout.ids, map(float, found), strict=True))


def most_moving(found: Sequence[SourcesCompared], names: Sequence[str]) -> str | None:
    """The one source that is shown to move more than every other; None where there is none."""
    for name in names:
        against = [each for each in found if name in (each.first, each.second)]
        if len(against) == len(names) - 1 and all(each.moves_more == name for each in against):
            return name
    return None
