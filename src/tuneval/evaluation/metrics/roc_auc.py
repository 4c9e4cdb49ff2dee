"""The area under the ROC curve: how well a score parts the positive items from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.kinds import OfArgument, OfWeights
from tuneval.evaluation.kinds.per_item import NO_REFERENCE
from tuneval.evaluation.metric import About
from tuneval.evaluation.values.probabilities import (
    class_probabilities,
    positive_of,
    positive_score,
    why_no_score,
    why_unknown,
)
from tuneval.evaluation.values.read import reference_label

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.bootstrap import LeavesOut
    from tuneval.statistics.estimate import Estimate
    from tuneval.statistics.paired import PairedComparison
    from tuneval.statistics.sample import Clusters

POINTS_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RocAuc(OfWeights):
    """The area for the class `positive`, or the one that `positive_class` picks.

    Of more than two classes, none named: the mean of the areas of each class against the rest.
    Interval and test are DeLong's; `prepare` serves those who resample it with other figures.
    """

    positive: str = ""

    def unknown_class(self, items: Sequence[Item]) -> str | None:
        """As in `OfNamedClass`."""
        return why_unknown(self.positive, items)

    def estimate(
        self, items: Sequence[Item], *, clusters: Clusters | None, seed: int, level: float = 0.95
    ) -> Estimate | None:
        """As in `Metric`; None where all items are of one class."""
        from tuneval.statistics.auc import auc, mean_auc

        positive = positive_of(items, self.positive)
        if positive is None:
            given = _scores_by_class(items)
            if not given:
                return None
            return mean_auc(given, _classes(items), clusters=clusters, level=level)
        truth = _truth(items, positive)
        if len(set(truth)) < 2:
            return None
        return auc(_scores(items, positive), truth, clusters=clusters, level=level)

    def compare(
        self,
        a: Sequence[Item],
        b: Sequence[Item],
        *,
        clusters: Clusters | None,
        seed: int,
        level: float = 0.95,
    ) -> PairedComparison | None:
        """As in `Metric`."""
        from tuneval.statistics.auc import paired_auc, paired_mean_auc

        positive = positive_of(a, self.positive)
        if positive is None:
            first, second = _scores_by_class(a), _scores_by_class(b)
            if not (first and second):
                return None
            return paired_mean_auc(first, second, _classes(a), clusters=clusters, level=level)
        truth = _truth(a, positive)
        if len(set(truth)) < 2:
            return None
        return paired_auc(
            _scores(a, positive), _scores(b, positive), truth, clusters=clusters, level=level
        )


def _missing(item: Item) -> str | None:
    return NO_REFERENCE if reference_label(item) is None else why_no_score(item)


def _prepare(named: str, items: Sequence[Item]) -> LeavesOut:
    from tuneval.statistics.roc import weighted_auc

    positive = positive_of(items, named)
    if positive is None:
        return _mean_area(items)
    return weighted_auc(_scores(items, positive), _truth(items, positive))


def _table(named: str, items: Sequence[Item]) -> Mapping[str, Any]:
    """The positive class and the points of the curve; of several classes each one's area."""
    import numpy as np

    positive = positive_of(items, named)
    if positive is None:
        once = np.ones((1, len(items)))
        areas = {label: float(area(once)[0]) for label, area in _areas(items).items()}
        return {"positive": None, "classes": areas}
    truth = _truth(items, positive)
    counts = {"positive": positive, "n_positive": sum(truth), "n_negative": truth.count(False)}
    return {**counts, "points": _points(items, positive)}


def _truth(items: Sequence[Item], positive: str) -> list[bool]:
    return [reference_label(item) == positive for item in items]


def _scores(items: Sequence[Item], positive: str) -> list[float]:
    return [score for item in items if (score := positive_score(item, positive)) is not None]


def _points(items: Sequence[Item], positive: str) -> list[list[float]]:
    """Threshold, false and true positive rate at the corners of the curve, evenly thinned out."""
    from tuneval.statistics.roc import roc_points

    truth = _truth(items, positive)
    if len(set(truth)) < 2:
        return []
    points = roc_points(_scores(items, positive), truth)
    step = -(-len(points) // POINTS_SHOWN)
    shown = [*points[:-1:step], points[-1]]
    return [[p.threshold, p.false_positive_rate, p.true_positive_rate] for p in shown]


def _classes(items: Sequence[Item]) -> dict[str, list[bool]]:
    """For each class which items are of it."""
    true = [reference_label(item) for item in items]
    labels = sorted({label for label in true if label is not None})
    return {label: [one == label for one in true] for label in labels}


def _scores_by_class(items: Sequence[Item]) -> dict[str, list[float]]:
    """For each class what each item gives to it; nothing without all probabilities."""
    given = [found for item in items if (found := class_probabilities(item)) is not None]
    if len(given) < len(items):
        return {}
    labels = {label for item in items if (label := reference_label(item)) is not None}
    return {label: [p.get(label, 0.0) for p in given] for label in sorted(labels)}


def _areas(items: Sequence[Item]) -> dict[str, LeavesOut]:
    """Each class's area as a function of the items' weights; none without all probabilities."""
    from tuneval.statistics.roc import weighted_auc

    classes = _classes(items)
    given = _scores_by_class(items)
    return {label: weighted_auc(given[label], classes[label]) for label in given}


def _mean_area(items: Sequence[Item]) -> LeavesOut:
    from tuneval.statistics.roc import mean_weighted_auc

    return mean_weighted_auc([*_areas(items).values()], len(items))


def roc_auc(about: About, positive: str) -> RocAuc:
    """The area for a named positive class, or for the one that is picked."""
    return RocAuc(
        about=replace(about, name=f"{about.name}:{positive}"),
        reason=_missing,
        prepare=partial(_prepare, positive),
        table=partial(_table, positive),
        positive=positive,
    )


ABOUT = About(
    name="roc_auc",
    family="classification",
    unit="share",
    higher_is_better=True,
    range=(0.0, 1.0),
    needs=("label", "probability"),
    source="share of pairs of a positive and a negative item that the score puts in order, ties "
    "half; Hanley and McNeil (1982), interval of DeLong et al. (1988)",
    use="to judge a score before a threshold is chosen; it does not depend on how rare a class is",
    avoid="with a very rare class: a high area can go with hardly any right alarms",
)
ROC_AUC = OfArgument(
    about=ABOUT,
    argument="positive class",
    make=partial(roc_auc, ABOUT),
    default="",
    example="yes",
)
