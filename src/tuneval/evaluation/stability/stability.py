"""How far an evaluation moves when it is repeated, because of what, and what that leaves to see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from tuneval.catalog import did_you_mean
from tuneval.errors import StatisticsError, UsageError
from tuneval.evaluation.comparing.compare import SEED
from tuneval.evaluation.metrics.likelihood import WHOLE_SEQUENCE
from tuneval.evaluation.stability.differ import environment_differences, settings_differences
from tuneval.evaluation.stability.found import RepeatedRuns
from tuneval.evaluation.stability.layout import Layout, layout_of
from tuneval.evaluation.stability.reading import Reading, read_spread
from tuneval.evaluation.stability.sources import SourcesCompared, compare_sources
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.repeats import Items, items_needed, runs_needed, smallest_difference
from tuneval.statistics.variance import VarianceParts, variance_limits, variance_parts

REPEATABILITY = 1.959964 * 2**0.5
"""Two single runs differ by less than so many standard deviations in 95 of 100 cases (ISO 5725)."""
NO_PARTS = "a figure of the whole set is no mean over items: its spread cannot be split"


@dataclass(frozen=True, slots=True)
class Detectable:
    """The least true difference of two models that so many runs and items of each reveal (80%).

    `items_for` and `runs_for` are what a difference of `asked` takes; None where no number does.
    """

    items: Items
    smallest: float
    asked: float | None
    items_for: int | None
    runs_for: int | None


@dataclass(frozen=True, slots=True)
class StabilityRow:
    """One metric under one source.

    `between_runs` is the standard deviation of the runs' scores, `parts` what it is made of; None
    with the reason in `why_no_parts`. `two_runs` is what two single runs differ by at most, in 95
    of 100 cases, with nothing changed. `n_changed` counts items that are not alike in all runs.
    `idle` is why the source could not change an answer: that runs are alike then shows nothing,
    and there is no reading.
    """

    name: str
    model: str
    source: str
    metric: str
    unit: str
    scores: Mapping[str, float]
    between_runs: Estimate
    parts: VarianceParts | None
    why_no_parts: str | None
    reading: Reading | None
    two_runs: float
    n_items: int
    n_left_out: int
    n_changed: int | None
    detectable: tuple[Detectable, ...]
    idle: str | None

    @property
    def dominant(self) -> str | None:
        """Which part of a score's uncertainty is the largest; None where there is none."""
        if self.parts is None:
            return None
        sizes = {part: getattr(self.parts, part).value for part in ("items", "run", "interaction")}
        return max(sizes, key=sizes.__getitem__) if any(sizes.values()) else None


@dataclass(frozen=True, slots=True)
class Stability:
    """Every metric of every source, the sources beside one another, and what runs differ in."""

    rows: tuple[StabilityRow, ...]
    sources: tuple[SourcesCompared, ...]
    settings: Mapping[str, Mapping[str, Mapping[str, str]]]
    environment: Mapping[str, Mapping[str, Mapping[str, str]]]
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "rows": [asdict(row) | {"dominant": row.dominant} for row in self.rows],
            "sources": [found.as_dict() for found in self.sources],
            "settings": dict(self.settings),
            "environment": dict(self.environment),
            "seed": self.seed,
        }


def stability(
    groups: Sequence[RepeatedRuns],
    *,
    metrics: Sequence[str] | None = None,
    points: float | None = None,
    seed: int = SEED,
) -> Stability:
    """What repeated runs show, by metric, and what a difference of so many points would take.

    Sources are compared where runs of one evaluation and model were repeated under several.
    Raises UsageError for a metric that no group has.
    """
    rows, layouts = [], []
    for group in groups:
        for metric in _metrics(group, metrics):
            layout = layout_of(metric, list(group.runs.values()), seed=seed)
            if layout is not None:
                layouts.append((group, layout))
                rows.append(_row(group, layout, _difference(layout, points), seed))
    if not rows:
        raise UsageError("No metric could be measured in every run.", mend="choose other metrics")
    return Stability(
        rows=tuple(rows),
        sources=tuple(_compared(layouts, seed)),
        settings={_title(group): settings_differences(group.runs) for group in groups},
        environment={
            _title(group): environment_differences(group.environments) for group in groups
        },
        seed=seed,
    )


def _title(group: RepeatedRuns) -> str:
    return f"{group.model}: {group.name} by {group.source}"


def _metrics(group: RepeatedRuns, asked: Sequence[str] | None) -> list[str]:
    runs = list(group.runs.values())
    common = [
        name
        for name in runs[0].result.metrics
        if name != WHOLE_SEQUENCE and all(name in run.result.metrics for run in runs)
    ]
    for name in asked or ():
        if name not in common:
            raise UsageError(
                f"Not every run of {group.name} has the metric '{name}'.",
                mend=did_you_mean(name, common),
            )
    return list(asked) if asked else common


def _row(group: RepeatedRuns, layout: Layout, difference: float | None, seed: int) -> StabilityRow:
    parts, why = _parts(layout, seed)
    between = _spread(layout) if parts is None else parts.between_runs
    return StabilityRow(
        name=group.name,
        model=group.model,
        source=group.source,
        metric=layout.metric,
        unit=layout.unit,
        scores=dict(zip(group.runs, layout.scores, strict=True)),
        between_runs=between,
        parts=parts,
        why_no_parts=why,
        reading=None if group.idle else read_spread(between if parts is None else parts.run),
        two_runs=REPEATABILITY * between.value,
        n_items=len(layout.ids),
        n_left_out=layout.n_left_out,
        n_changed=layout.n_changed,
        detectable=() if parts is None or group.idle else tuple(_detectable(parts, difference)),
        idle=group.idle,
    )


def _difference(layout: Layout, points: float | None) -> float | None:
    """So many points in the metric's unit; None for what is not counted in points."""
    if points is None or layout.unit not in ("share", "points"):
        return None
    return points / 100 if layout.unit == "share" else points


def _parts(layout: Layout, seed: int) -> tuple[VarianceParts | None, str | None]:
    """The parts of the variance, or why there are none."""
    if layout.values is None:
        return None, NO_PARTS
    try:
        return variance_parts(
            layout.values, seed=seed, clusters=layout.clusters, unit=layout.unit
        ), None
    except StatisticsError as error:
        return None, error.what


def _spread(layout: Layout) -> Estimate:
    """The standard deviation of the runs' scores with its interval by chi-square."""
    scores, n = np.array(layout.scores), len(layout.ids)
    variance = float(scores.var(ddof=1))
    if variance <= 0:
        return Estimate(0.0, None, None, 0.95, "none: no spread", n, unit=layout.unit)
    low, high = (end**0.5 for end in variance_limits(variance, len(scores) - 1))
    return Estimate(variance**0.5, low, high, 0.95, "chi-square", n, unit=layout.unit)


def _detectable(parts: VarianceParts, difference: float | None) -> Iterator[Detectable]:
    if not (parts.items.value or parts.between_runs.value):
        return  # where every answer is graded alike, nothing can be foretold
    n_items, n_runs = parts.n_items, parts.n_runs
    kinds: tuple[Items, ...] = ("shared", "separate")
    for items in kinds:
        least = smallest_difference(parts, n_items=n_items, n_runs=n_runs, items=items)
        items_for = runs_for = None
        if difference:
            items_for = items_needed(difference, parts, n_runs=n_runs, items=items)
            runs_for = runs_needed(difference, parts, n_items=n_items, items=items)
        yield Detectable(items, least, difference, items_for, runs_for)


def _compared(
    layouts: Sequence[tuple[RepeatedRuns, Layout]], seed: int
) -> Iterator[SourcesCompared]:
    """Every two sources of one evaluation, model and metric."""
    for (group, layout), (other, its) in combinations(layouts, 2):
        same = (group.name, group.model, layout.metric) == (other.name, other.model, its.metric)
        if same and group.source != other.source and not (group.idle or other.idle):
            found = compare_sources((group.source, layout), (other.source, its), seed=seed)
            if found is not None:
                yield found
