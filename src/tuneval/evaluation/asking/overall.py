"""A metric over the whole of a task: over all its items, over its strata alike, stratum by stratum.

What was left out by a limit is stood for by what was drawn of its stratum. Two intervals are given
then: for questions like these in general, and for just this task with every question asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuneval.evaluation.account import clusters_of
from tuneval.evaluation.asking.draw import Drawn, stratum_of
from tuneval.evaluation.items import Item
from tuneval.evaluation.kinds.per_item import PerItem
from tuneval.evaluation.metric import Unscored
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.robustness.families import items_for
from tuneval.evaluation.task import Questions
from tuneval.statistics.estimate import Estimate

ITEMS = "items"


@dataclass(frozen=True, slots=True)
class Overall:
    """One metric over a task.

    `over` is "items" for the mean over all items of the task (a micro average), or the tag whose
    values count alike (a macro average). `estimate` is for questions like these in general,
    `whole` for this task with every question asked; None where every one was.
    """

    metric: str
    over: str
    estimate: Estimate
    whole: Estimate | None

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Overall:
        """The figure that `dataclasses.asdict` made a row of."""
        whole = row["whole"]
        return cls(
            row["metric"],
            row["over"],
            Estimate.from_dict(row["estimate"]),
            None if whole is None else Estimate.from_dict(whole),
        )


def overall(items: Sequence[Item], metric: str, asked: Questions, drawn: Drawn) -> list[Overall]:
    """The metric over the whole task: over its items where a part was drawn, and as a macro average
    where the protocol wants one.

    Nothing for what is no mean of items, nor where a stratum has no item that counts.
    """
    measure = load_metric(metric)
    if not isinstance(measure, PerItem):
        return []
    found = []
    if drawn.is_part:
        found.append(_over(items, measure, drawn.tag, asked, drawn, alike=False))
    if asked.average is not None:
        found.append(_over(items, measure, asked.average, asked, drawn, alike=True))
    return [figure for figure in found if figure is not None]


def lacking(
    figures: Sequence[Overall], main: str, asked: Questions, drawn: Drawn
) -> tuple[str, ...]:
    """What a reader must know where the main metric is not the figure that the task wants."""
    over = {figure.over for figure in figures if figure.metric == main}
    found = []
    if asked.average is not None and asked.average not in over:
        found.append(
            f"the protocol's macro average by {asked.average} cannot be given, as not every "
            "one has a question that counts: the figure is over all questions alike"
        )
    uneven = len({drawn.taken[name] / size for name, size in drawn.sizes.items()}) > 1
    if drawn.is_part and uneven and not over:
        found.append("the figure is of the questions drawn, and not weighed for the whole task")
    return tuple(found)


def by_stratum(items: Sequence[Item], metric: str, tag: str, *, seed: int) -> dict[str, Estimate]:
    """The metric of each stratum by itself, in the items' order; for means of items."""
    measure = load_metric(metric)
    members: dict[str, list[Item]] = {}
    if isinstance(measure, PerItem):
        for item in items_for(measure, items):
            if measure.missing(item) is None:
                members.setdefault(stratum_of(item.tags, tag), []).append(item)
    return {
        name: measure.estimate(found, clusters=clusters_of(found), seed=seed)
        for name, found in members.items()
        if isinstance(measure, PerItem)
    }


def _over(
    items: Sequence[Item],
    measure: PerItem,
    tag: str | None,
    asked: Questions,
    drawn: Drawn,
    *,
    alike: bool,
) -> Overall | None:
    """The figure by the strata of `tag`, which count `alike` or by their sizes."""
    from tuneval.statistics.stratified import stratified_mean

    graded = [(item, measure.value(item)) for item in items_for(measure, items)]
    counted = [(item, value) for item, value in graded if not isinstance(value, Unscored)]
    strata = [stratum_of(item.tags, tag) for item, _ in counted]
    sizes = _standing_for(Counter(strata), tag, asked, drawn)
    if set(strata) != set(sizes):
        return None
    weights: Mapping[str, float] = dict.fromkeys(sizes, 1.0) if alike else sizes

    def estimate(population: Mapping[str, int] | None) -> Estimate:
        return stratified_mean(
            [value for _, value in counted],
            strata,
            weights=weights,
            sizes=population,
            clusters=clusters_of([item for item, _ in counted]),
            is_share=measure.is_binary,
            unit=measure.about.unit,
        )

    whole = estimate(sizes) if drawn.is_part else None
    return Overall(measure.about.name, (tag or ITEMS) if alike else ITEMS, estimate(None), whole)


def _standing_for(
    counted: Mapping[str, int], tag: str | None, asked: Questions, drawn: Drawn
) -> dict[str, int]:
    """How many of the task's questions the counted items of each stratum stand for.

    Where a share of a stratum's items cannot be scored, so could not the same share of the others.
    """
    everything = Counter(stratum_of(question.tags, tag) for question in asked.questions)
    taken = Counter(stratum_of(question.tags, tag) for question in drawn.questions)
    return {
        name: max(counted.get(name, 0), round(size * counted.get(name, 0) / taken[name]))
        if taken[name]
        else size
        for name, size in everything.items()
    }
