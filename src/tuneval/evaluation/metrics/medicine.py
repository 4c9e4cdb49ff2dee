"""What a test for a condition is judged by: how many of the ill and of the healthy it tells."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.kinds import OfArgument, OfSums
from tuneval.evaluation.kinds.per_item import NO_REFERENCE
from tuneval.evaluation.metric import About
from tuneval.evaluation.metrics.roc_auc import ABOUT as _ROC_AUC
from tuneval.evaluation.metrics.roc_auc import roc_auc
from tuneval.evaluation.values.probabilities import (
    positive_of,
    positive_score,
    why_no_score,
    why_unknown,
)
from tuneval.evaluation.values.read import (
    LabelPair,
    classes_of,
    labels_of,
    plain_label,
    reference_label,
    why_unanswered,
)

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.estimate import Estimate
    from tuneval.statistics.paired import PairedComparison
    from tuneval.statistics.sample import Clusters, Floats

THRESHOLD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RateOfClass(OfSums):
    """Of the items whose true class is positive (or is not: `side`), the share called so.

    An item without an answer's text is called positive from a probability of 0.5 on. An answer
    in which no class of the references can be read is wrong on either side. Interval and test
    are those of a plain share of the items of the side.
    """

    positive: str
    side: bool

    def unknown_class(self, items: Sequence[Item]) -> str | None:
        """As in `OfNamedClass`."""
        return why_unknown(self.positive, items)

    def estimate(
        self, items: Sequence[Item], *, clusters: Clusters | None, seed: int, level: float = 0.95
    ) -> Estimate | None:
        """As in `Metric`; None where no item is of that side, or no class is the positive one."""
        from tuneval.statistics.proportion import clustered_wilson, wilson

        places = self._places(items)
        if not places:
            return None
        right, keys = self.columns(items)[places, 0], _keys(clusters, places)
        if keys is None:
            return wilson(round(right.sum()), len(places), level=level)
        return clustered_wilson(right, clusters=keys, level=level)

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
        from tuneval.statistics.paired import paired_comparison

        places = self._places(a)
        if not places:
            return None
        return paired_comparison(
            self.columns(a)[places, 0],
            self.columns(b)[places, 0],
            binary=True,
            seed=seed,
            clusters=_keys(clusters, places),
            level=level,
            unit=self.about.unit,
        )

    def _places(self, items: Sequence[Item]) -> list[int]:
        columns = self.columns(items)
        return columns[:, 1].nonzero()[0].tolist() if columns.size else []


def _missing(item: Item) -> str | None:
    if reference_label(item) is None:
        return NO_REFERENCE
    reason = why_unanswered(item)
    return None if reason is None or why_no_score(item) is None else reason


def _columns(named: str, side: bool, items: Sequence[Item]) -> Floats:
    """Of the side and called so, and of the side, (n, 2); nothing where no class is positive.

    Nor where the class that is named stands nowhere.
    """
    import numpy as np

    positive = positive_of(items, named)
    if positive is None or why_unknown(named, items) is not None:
        return np.empty((len(items), 0))
    true = [reference_label(item) for item in items]
    is_of_side = [(label == positive) is side for label in true]
    classes = {*true, positive}
    is_right = [_called(item, positive, classes) is side for item in items]
    return np.array(
        [(of_side and right, of_side) for of_side, right in zip(is_of_side, is_right, strict=True)],
        dtype=np.float64,
    )


def _ratio(sums: Floats) -> Floats:
    """nan for a resample without an item of the side."""
    import numpy as np

    right, of_side = sums[..., 0], sums[..., 1]
    return np.asarray(right / np.where(of_side > 0, of_side, np.nan))


def _taken(named: str, items: Sequence[Item]) -> Mapping[str, Any]:
    """The class that was taken as positive."""
    return {"positive": positive_of(items, named)}


def _called(item: Item, positive: str, classes: Collection[str | None]) -> bool | None:
    """Whether the item is called positive; None where its answer is none of the classes."""
    if why_unanswered(item) is not None:
        score = positive_score(item, positive)
        return None if score is None else score >= THRESHOLD
    found = labels_of(item)
    if not isinstance(found, LabelPair) or found.said is None:
        return None
    if found.said not in classes and found.said not in map(plain_label, classes_of(item)):
        return None
    return found.said == positive


def _keys(clusters: Clusters | None, places: Sequence[int]) -> Clusters | None:
    from tuneval.statistics.sample import is_clustered

    keys = None if clusters is None else [clusters[place] for place in places]
    return keys if is_clustered(keys) else None


def _rate(about: About, side: bool, positive: str) -> RateOfClass:
    return RateOfClass(
        about=replace(about, name=f"{about.name}:{positive}"),
        reason=_missing,
        columns=partial(_columns, positive, side),
        statistic=_ratio,
        table=partial(_taken, positive),
        positive=positive,
        side=side,
    )


_SENSITIVITY = About(
    name="sensitivity",
    family="medicine",
    unit="share",
    higher_is_better=True,
    range=(0.0, 1.0),
    needs=("label",),
    source="share of the positive items that are called positive; Yerushalmy (1947). A class that "
    "is named and stands nowhere has no figure",
    use="where a missed case is what costs",
    avoid="alone: whoever calls everything positive has 100%; see specificity beside it",
)
_SPECIFICITY = replace(
    _SENSITIVITY,
    name="specificity",
    source="share of the other items that are not called positive; Yerushalmy (1947)",
    use="where a false alarm is what costs",
    avoid="alone: whoever calls nothing positive has 100%; see sensitivity beside it",
)
_AUC = replace(
    _ROC_AUC,
    name="auc",
    family="medicine",
    use="to judge a risk score before a threshold is chosen; roc_auc under its medical name",
    avoid="as the value of a test in practice: that depends on the threshold and how rare it is",
)
SENSITIVITY = OfArgument(
    about=_SENSITIVITY,
    argument="positive class",
    make=partial(_rate, _SENSITIVITY, True),
    default="",
    example="yes",
)
SPECIFICITY = OfArgument(
    about=_SPECIFICITY,
    argument="positive class",
    make=partial(_rate, _SPECIFICITY, False),
    default="",
    example="yes",
)
AUC = OfArgument(
    about=_AUC, argument="positive class", make=partial(roc_auc, _AUC), default="", example="yes"
)
