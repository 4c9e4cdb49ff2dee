"""How a task averages its items, so that a difference is of the figures that the task gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuneval.evaluation.account import clusters_of
from tuneval.evaluation.asking.draw import stratum_of
from tuneval.evaluation.asking.overall import ITEMS
from tuneval.evaluation.asking.task_record import TaskRecord
from tuneval.evaluation.comparing.comparison import Evaluation
from tuneval.evaluation.items import Item
from tuneval.evaluation.kinds.per_item import PerItem
from tuneval.evaluation.metric import Metric
from tuneval.evaluation.robustness.families import is_copy
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.paired import PairedComparison
from tuneval.statistics.sample import Floats


@dataclass(frozen=True, slots=True)
class Averaging:
    """A mean over strata: the values of `tag`, or all alike where it is None, weighed by `weights`.

    `over` is how it is called: the tag whose values count alike (a macro average), or "items"
    where drawn items stand for those of their stratum that were left out.
    """

    over: str
    tag: str | None
    weights: Mapping[str, float]

    def strata(self, items: Sequence[Item]) -> list[str]:
        """The stratum of each item."""
        return [stratum_of(item.tags, self.tag) for item in items]

    def item_weights(self, items: Sequence[Item]) -> Floats:
        """The weight of each item, (n,), 1 on average."""
        from tuneval.statistics.stratified import item_weights

        return item_weights(self.strata(items), self.weights)

    def as_plain_mean(self, values: Floats, items: Sequence[Item]) -> Floats:
        """Values of the items whose plain mean is the figure, with its error."""
        from tuneval.statistics.stratified import as_plain_mean

        return as_plain_mean(values, self.strata(items), self.weights)

    def estimate(self, measure: PerItem, items: Sequence[Item], *, level: float) -> Estimate:
        """The figure of items that count, for items like these in general."""
        from tuneval.statistics.stratified import stratified_mean

        return stratified_mean(
            measure.values(items),
            self.strata(items),
            weights=self.weights,
            clusters=clusters_of(items),
            is_share=measure.is_binary,
            level=level,
            unit=measure.about.unit,
        )

    def compare(
        self, measure: PerItem, a: Sequence[Item], b: Sequence[Item], *, seed: int, level: float
    ) -> PairedComparison:
        """The figure of b less that of a."""
        from tuneval.statistics.paired_strata import paired_strata_comparison

        return paired_strata_comparison(
            measure.values(a),
            measure.values(b),
            self.strata(a),
            weights=self.weights,
            binary=measure.is_binary,
            seed=seed,
            clusters=clusters_of(a),
            level=level,
            unit=measure.about.unit,
        )


def averaging_of(
    measure: Metric, evaluations: Sequence[Evaluation], counted: Sequence[Item]
) -> tuple[Averaging | None, str | None]:
    """How all the evaluations average the metric, over `counted` items that count in all of them.

    None: item by item. Then the second says why, where that is not how one of them has it.
    """
    if not isinstance(measure, PerItem):
        return None, None
    records = [each.result.task for each in evaluations]
    ways = [_way(record, measure.about.name) for record in records]
    macro = set(ways) - {None, ITEMS}
    if macro and len(set(ways)) > 1:
        said = ", ".join(
            f"'{each.result.name}' over {way or ITEMS}"
            for each, way in zip(evaluations, ways, strict=True)
        )
        return None, f"{measure.about.name} is not averaged alike ({said}): compared item by item"
    if macro:
        tag = macro.pop()
        strata = {stratum_of(item.tags, tag) for item in _common(evaluations)}
        found = Averaging(str(tag), tag, dict.fromkeys(strata, 1.0))
    else:
        drawn = [
            record
            for record, way in zip(records, ways, strict=True)
            if record is not None and way is not None
        ]
        if not drawn:
            return None, None
        found = _of_the_whole(min(drawn, key=lambda record: sum(record.taken.values())), counted)
    lacking = set(found.weights) - set(found.strata(counted))
    if lacking:
        why = f"no item of {min(lacking)} has {measure.about.name} on both sides"
        return None, f"{why}: compared item by item"
    return found, None


def figure_over(
    measure: Metric,
    evaluations: Sequence[Evaluation],
    items: Sequence[Item],
    *,
    seed: int,
    level: float = 0.95,
) -> Estimate | None:
    """The figure of items that count, averaged as all the evaluations do; None for a table."""
    averaging, _ = averaging_of(measure, evaluations, items)
    if averaging is not None and isinstance(measure, PerItem):
        return averaging.estimate(measure, items, level=level)
    return measure.estimate(items, clusters=clusters_of(items), seed=seed, level=level)


def _way(record: TaskRecord | None, metric: str) -> str | None:
    figure = None if record is None else record.figure(metric)
    return None if figure is None else figure.over


def _common(evaluations: Sequence[Evaluation]) -> list[Item]:
    """The questions as they are that all have."""
    first, *others = evaluations
    everywhere = [{item.id for item in other.items} for other in others]
    return [
        item
        for item in first.items
        if not is_copy(item) and all(item.id in ids for ids in everywhere)
    ]


def _of_the_whole(record: TaskRecord, counted: Sequence[Item]) -> Averaging:
    """Items stand for those of their stratum that were not drawn, or that cannot be scored."""
    n = Counter(stratum_of(item.tags, record.strata) for item in counted)
    weights = {
        name: size * n[name] / record.taken[name] if record.taken.get(name) else float(size)
        for name, size in record.sizes.items()
    }
    return Averaging(ITEMS, record.strata, weights)
