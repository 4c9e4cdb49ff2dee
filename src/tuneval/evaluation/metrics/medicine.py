"""What a test for a condition is judged by: how many of the ill and of the healthy it tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.kinds import OfArgument, PerItem
from tuneval.evaluation.kinds.per_item import NO_REFERENCE
from tuneval.evaluation.metric import About
from tuneval.evaluation.metrics.roc_auc import ABOUT as _ROC_AUC
from tuneval.evaluation.metrics.roc_auc import roc_auc
from tuneval.evaluation.probabilities import positive_of, positive_score, why_no_score
from tuneval.evaluation.values import labels_of, reference_label, why_unanswered

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.estimate import Estimate
    from tuneval.statistics.paired import PairedComparison
    from tuneval.statistics.sample import Clusters

THRESHOLD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RateOfClass:
    """Of the items whose true class is positive (or is not), the share called so.

    An item without an answer's text is called positive from a probability of 0.5 on. An answer
    in which no class can be read is wrong on either side. Only the items of the side count, so
    that interval and test are those of a plain share.
    """

    about: About
    positive: str
    side: bool
    is_binary: bool = True

    def missing(self, item: Item) -> str | None:
        """As in `Metric`."""
        if reference_label(item) is None:
            return NO_REFERENCE
        reason = why_unanswered(item)
        return None if reason is None or why_no_score(item) is None else reason

    def estimate(
        self, items: Sequence[Item], *, clusters: Clusters | None, seed: int
    ) -> Estimate | None:
        """As in `Metric`; None where no item is of that side, or the positive class is not known."""
        share, places = self._share(items), self._places(items)
        if share is None or not places:
            return None
        return share.estimate(_at(items, places), clusters=_at(clusters, places), seed=seed)

    def compare(
        self, a: Sequence[Item], b: Sequence[Item], *, clusters: Clusters | None, seed: int
    ) -> PairedComparison | None:
        """As in `Metric`."""
        share, places = self._share(a), self._places(a)
        if share is None or not places:
            return None
        return share.compare(
            _at(a, places), _at(b, places), clusters=_at(clusters, places), seed=seed
        )

    def detail(self, items: Sequence[Item]) -> Mapping[str, Any]:
        """The class that was taken as positive."""
        return {"positive": positive_of(items, self.positive)}

    def _places(self, items: Sequence[Item]) -> list[int]:
        positive = positive_of(items, self.positive)
        is_of_side = [(reference_label(item) == positive) is self.side for item in items]
        return [place for place, counts in enumerate(is_of_side) if counts]

    def _share(self, items: Sequence[Item]) -> PerItem | None:
        positive = positive_of(items, self.positive)
        if positive is None:
            return None
        return PerItem(
            about=self.about,
            score=lambda item: float(_called(item, positive) is self.side),
            is_binary=True,
        )


def _called(item: Item, positive: str) -> bool | None:
    """Whether the item is called positive; None where its answer cannot be read."""
    if why_unanswered(item) is not None:
        score = positive_score(item, positive)
        return None if score is None else score >= THRESHOLD
    found = labels_of(item)
    said = getattr(found, "said", None)
    return None if said is None else said == positive


def _at(values: Sequence[Any] | None, places: Sequence[int]) -> Any:
    return None if values is None else [values[place] for place in places]


def _rate(about: About, side: bool, positive: str) -> RateOfClass:
    return RateOfClass(
        about=replace(about, name=f"{about.name}:{positive}"), positive=positive, side=side
    )


_SENSITIVITY = About(
    name="sensitivity",
    family="medicine",
    unit="share",
    higher_is_better=True,
    range=(0.0, 1.0),
    needs=("label",),
    source="share of the positive items that are called positive; Yerushalmy (1947)",
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
