"""Written answers as three readings find them: how much of a score is the reading of answers.

A task that lets a model write names an extractor; what its readings found stands in
`Item.extracted`. A reading that found nothing is wrong, never left out. The key is compared in
the extractor's own form, which the task gives as the reference; where an official script compares
with another form of the key, that stands in `fields["official_key"]`. Where the likeliest choice
is the answer, nothing is read: for `answer_official`, which a task may want over both kinds of
items, it is right when it is a right choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from tuneval.evaluation.kinds import OfSums, PerItem
from tuneval.evaluation.kinds.per_item import NO_REFERENCE, lacks_answer
from tuneval.evaluation.metric import About, Need, Unscored

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.sample import Floats

Reading = Literal["strict", "lenient", "official"]
OFFICIAL_KEY = "official_key"
NO_EXTRACTOR = "no extractor read this answer"


def is_right(item: Item, reading: Reading) -> bool:
    """Whether a reading found the key; officially, whether the likeliest choice is a right one."""
    if item.chosen is not None and reading == "official":
        return item.chosen.best in item.chosen.gold
    key = item.fields.get(OFFICIAL_KEY, item.label) if reading == "official" else item.label
    return item.extracted.get(reading) == key


def counting(item: Item) -> Reading:
    """The reading that counts for an item: the protocol's own, else the lenient one."""
    return "official" if "official" in item.extracted else "lenient"


def _lacks_reading(item: Item) -> str | None:
    reason = lacks_answer(item)
    return reason or (None if item.extracted else NO_EXTRACTOR)


def _lacks(item: Item) -> str | None:
    return _lacks_reading(item) or (NO_REFERENCE if item.label is None else None)


def _graded_by(reading: Reading, about: About) -> PerItem:
    def score(item: Item) -> float | Unscored:
        if reading == "official" and item.chosen is not None:
            return float(is_right(item, reading)) if item.chosen.gold else Unscored(NO_REFERENCE)
        reason = _lacks(item)
        if reason is None and reading not in item.extracted:
            reason = f"the extractor has no {reading} reading"
        return Unscored(reason) if reason else float(is_right(item, reading))

    return PerItem(about=about, score=score, is_binary=True)


def _found_nothing(item: Item) -> float | Unscored:
    reason = _lacks_reading(item)
    return Unscored(reason) if reason else float(item.extracted[counting(item)] is None)


def _columns(items: Sequence[Item]) -> Floats:
    import numpy as np

    return np.array([[is_right(item, counting(item)), 1] for item in items], dtype=np.float64)


def _share(sums: Floats) -> Floats:
    share: Floats = sums[..., 0] / sums[..., 1]
    return share


def range_of(items: Sequence[Item]) -> Mapping[str, Any]:
    """The share right by each reading, and where the readings part ways."""
    n = len(items)
    readings: dict[str, Any] = {}
    for reading in ("strict", "lenient", "official"):
        read = [item for item in items if reading in item.extracted]
        if read:
            readings[reading] = {
                "right": sum(is_right(item, reading) for item in read) / n,
                "unparsed": sum(item.extracted[reading] is None for item in read) / n,
            }
    shares = [found["right"] for found in readings.values()]
    parted = [item.id for item in items if len(set(item.extracted.values())) > 1]
    return {
        "n": n,
        "readings": readings,
        "range": [min(shares), max(shares)],
        "n_disagree": len(parted),
        "disagree": parted[:20],
    }


_NEEDS: tuple[Need, ...] = ("prediction", "reference", "extraction")


def _about(name: str, use: str, avoid: str, source: str = "share of items") -> About:
    return About(
        name=name,
        family="extraction",
        unit="share",
        higher_is_better=name != "unparsed",
        range=(0.0, 1.0),
        needs=("prediction", "extraction") if name == "unparsed" else _NEEDS,
        source=source,
        use=use,
        avoid=avoid,
    )


ANSWER_OFFICIAL = _graded_by(
    "official",
    _about(
        "answer_official",
        use="to compare with published figures of the same protocol",
        avoid="alone: the reading of the benchmark's script has faults, which the extractor names",
        source="the benchmark's own script, as the extractor says",
    ),
)
ANSWER_STRICT = _graded_by(
    "strict",
    _about(
        "answer_strict",
        use="as the lower end of a score: only answers given in so many words count",
        avoid="to compare a model tuned to the form with one that is not: it grades the form too",
    ),
)
ANSWER_LENIENT = _graded_by(
    "lenient",
    _about(
        "answer_lenient",
        use="as the upper end of a score: what a kind reader takes for the answer counts",
        avoid="alone: a letter or number may stand in an answer by chance",
    ),
)
UNPARSED = PerItem(
    about=_about(
        "unparsed",
        use="beside every score of written answers: how many of them no answer was found in",
        avoid="as a measure of knowledge: it tells of form",
        source="share of answers in which the reading that counts finds nothing",
    ),
    score=_found_nothing,
    is_binary=True,
)
ANSWER_RANGE = OfSums(
    about=_about(
        "answer_range",
        use="to see how much of a score depends on how answers are read: its detail has the "
        "strict, the lenient and the official share, and the items they part on",
        avoid="as an interval of sampling error: that is the figure's own",
        source="share right by the reading that counts: the official one, else the lenient one",
    ),
    reason=_lacks,
    columns=_columns,
    statistic=_share,
    is_share=True,
    table=range_of,
)
