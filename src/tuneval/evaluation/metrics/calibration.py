"""Whether a system is as often right as it is sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from tuneval.errors import UsageError
from tuneval.evaluation.kinds import OfArgument, OfSums
from tuneval.evaluation.kinds.per_item import NO_REFERENCE
from tuneval.evaluation.metric import About, Unscored
from tuneval.evaluation.metrics.classification import is_right
from tuneval.evaluation.values.probabilities import (
    choice_probabilities,
    class_probabilities,
    positive_of,
    why_no_probability,
    why_unknown,
)
from tuneval.evaluation.values.read import as_number, reference_label

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.sample import Floats


class Sureness(NamedTuple):
    """How sure an answer is, 0 to 1, and whether it is right."""

    confidence: float
    right: bool


def _why_no_loss(item: Item) -> str | None:
    return NO_REFERENCE if reference_label(item) is None else why_no_probability(item)


def _why_not_sure(item: Item) -> str | None:
    confidence = as_number(item.fields.get("confidence"))
    if confidence is None:
        return _why_no_loss(item)
    if not 0 <= confidence <= 1:
        return "the confidence is not between 0 and 1"
    right = is_right(item)
    return right.reason if isinstance(right, Unscored) else None


def sureness(item: Item, positive: str | None) -> Sureness:
    """By the field `confidence` and the answer; else by the likeliest class or choice."""
    confidence = as_number(item.fields.get("confidence"))
    if confidence is not None:
        return Sureness(confidence, is_right(item) == 1.0)
    probability = as_number(item.fields.get("probability"))
    if probability is not None:
        is_positive = reference_label(item) == positive
        return Sureness(max(probability, 1 - probability), (probability >= 0.5) is is_positive)
    if item.chosen is not None and item.chosen.gold and "probabilities" not in item.fields:
        chances = choice_probabilities(item.chosen)
        return Sureness(max(chances), is_right(item) == 1.0)
    given = class_probabilities(item) or {}
    best = max(given, key=given.__getitem__)
    return Sureness(given[best], best == reference_label(item))


def _loss(item: Item, positive: str | None) -> float:
    """Half the squared distance between what was given to each class and the truth."""
    probability = as_number(item.fields.get("probability"))
    if probability is not None:
        return (probability - float(reference_label(item) == positive)) ** 2
    if item.chosen is not None and item.chosen.gold and "probabilities" not in item.fields:
        chances = dict(enumerate(choice_probabilities(item.chosen)))
        right = sum(chances.pop(place) for place in set(item.chosen.gold))
        return ((1 - right) ** 2 + sum(p * p for p in chances.values())) / 2
    given = class_probabilities(item) or {}
    true = reference_label(item)
    missed = 1 - given.get(true or "", 0.0)
    return (missed**2 + sum(p * p for label, p in given.items() if label != true)) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BrierScore(OfSums):
    """The mean loss, where `positive` may name the class that `probability` is of."""

    positive: str

    def unknown_class(self, items: Sequence[Item]) -> str | None:
        """As in `OfNamedClass`."""
        return why_unknown(self.positive, items)


def _losses(named: str, items: Sequence[Item]) -> Floats:
    import numpy as np

    positive = positive_of(items, named)
    if _lacks_positive(items, positive) or why_unknown(named, items) is not None:
        return np.empty((len(items), 0))
    return np.array([(_loss(item, positive), 1.0) for item in items])


def _lacks_positive(items: Sequence[Item], positive: str | None) -> bool:
    """Whether an item gives the probability of a positive class that nobody knows."""
    return positive is None and any("probability" in item.fields for item in items)


def _mean(sums: Floats) -> Floats:
    mean: Floats = sums[..., 0] / sums[..., 1]
    return mean


def _gaps(n_bins: int, items: Sequence[Item]) -> Floats:
    """What each item adds to its bin: right less confidence; and a 1 to the last column."""
    import numpy as np

    if _lacks_positive(items, positive_of(items)):
        return np.empty((len(items), 0))
    found = _all_sureness(items)
    columns = np.zeros((len(found), n_bins + 1))
    for row, sure in zip(columns, found, strict=True):
        row[_bin(sure.confidence, n_bins)] = sure.right - sure.confidence
        row[-1] = 1
    return columns


def _expected_gap(sums: Floats) -> Floats:
    import numpy as np

    return np.asarray(np.abs(sums[..., :-1]).sum(axis=-1) / sums[..., -1])


def _reliability(n_bins: int, items: Sequence[Item]) -> Mapping[str, Any]:
    """Of each bin that has items: its ends, their mean confidence, and the share right."""
    from tuneval.statistics.proportion import wilson

    if _lacks_positive(items, positive_of(items)):
        return {"bins": []}
    by_bin: dict[int, list[Sureness]] = {}
    for sure in _all_sureness(items):
        by_bin.setdefault(_bin(sure.confidence, n_bins), []).append(sure)
    bins = []
    for place, members in sorted(by_bin.items()):
        right = wilson(sum(sure.right for sure in members), len(members))
        bins.append(
            {
                "from": place / n_bins,
                "to": (place + 1) / n_bins,
                "n": len(members),
                "confidence": sum(sure.confidence for sure in members) / len(members),
                "right": right.value,
                "right_low": right.low,
                "right_high": right.high,
            }
        )
    return {"bins": bins}


def _all_sureness(items: Sequence[Item]) -> list[Sureness]:
    positive = positive_of(items)
    return [sureness(item, positive) for item in items]


def _bin(confidence: float, n_bins: int) -> int:
    """Of bins that are open below and closed above, as in Guo et al.; 0 is in the first."""
    place = 0
    while place < n_bins - 1 and confidence > (place + 1) / n_bins:
        place += 1
    return place


def brier(positive: str) -> BrierScore:
    """The Brier score with a named positive class."""
    return BrierScore(
        about=replace(_BRIER, name=f"brier:{positive}"),
        reason=_why_no_loss,
        columns=partial(_losses, positive),
        statistic=_mean,
        positive=positive,
    )


def ece(bins: str) -> OfSums:
    """The expected calibration error over so many bins. Raises UsageError for no number."""
    if not bins.isdecimal() or not 1 <= int(bins) <= 1000:
        raise UsageError(
            f"'{bins}' is no number of bins.", where=f"ece:{bins}", mend="write ece:10 or ece:15"
        )
    return OfSums(
        about=replace(_ECE, name=f"ece:{bins}"),
        reason=_why_not_sure,
        columns=partial(_gaps, int(bins)),
        statistic=_expected_gap,
        table=partial(_reliability, int(bins)),
    )


_BRIER = About(
    name="brier",
    family="calibration",
    unit="",
    higher_is_better=False,
    range=(0.0, 1.0),
    needs=("label", "probability"),
    source="squared distance between probabilities and truth, summed over the classes and halved, "
    "so that two classes give (p - y)²; Brier (1950), whose own is twice that",
    use="to judge probabilities: it is best to give those one believes",
    avoid="between sets: where the truth is uncertain even the best forecast scores high",
)
_ECE = About(
    name="ece",
    family="calibration",
    unit="share",
    higher_is_better=False,
    range=(0.0, 1.0),
    needs=("label", "probability"),
    source="mean distance between confidence and share right over bins of equal width; Naeini et "
    "al. (2015), Guo et al. (2017)",
    use="to see by how much a system is surer, or less sure, than it is right",
    avoid="with few items: chance alone gives some, more with more bins; see the Brier score too",
)
BRIER = OfArgument(about=_BRIER, argument="positive class", make=brier, default="", example="yes")
ECE = OfArgument(about=_ECE, argument="number of bins", make=ece, default="10", example="15")
