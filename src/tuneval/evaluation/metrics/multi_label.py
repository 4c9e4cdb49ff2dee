"""Answers that are sets of labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tuneval.evaluation.kinds import OfSums, PerItem
from tuneval.evaluation.metric import About, Unscored
from tuneval.evaluation.values.read import LabelSets, classes_of, label_sets_of, plain_label

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.sample import Floats


def _reason(item: Item) -> str | None:
    found = label_sets_of(item)
    return found.reason if isinstance(found, Unscored) else None


def _overlap(item: Item) -> float | Unscored:
    found = label_sets_of(item)
    if isinstance(found, Unscored):
        return found
    either = found.said | found.true
    return len(found.said & found.true) / len(either) if either else 1.0


def _decisions(items: Sequence[Item]) -> Floats:
    """Wrong decisions and all decisions of each item, (n, 2): one decision for each label."""
    import numpy as np

    found = [pair for item in items if isinstance(pair := label_sets_of(item), LabelSets)]
    known = frozenset[str]().union(*(pair.true for pair in found))
    for item in items:
        known |= frozenset(map(plain_label, classes_of(item)))
    if not known:
        return np.empty((len(items), 0))
    # An invented label is a wrong decision too, but an item has no more than there are labels.
    wrong = [min(len(pair.said ^ pair.true), len(known)) for pair in found]
    return np.column_stack([np.array(wrong, dtype=np.float64), np.full(len(wrong), len(known))])


def _share(sums: Floats) -> Floats:
    share: Floats = sums[..., 0] / sums[..., 1]
    return share


HAMMING_LOSS = OfSums(
    about=About(
        name="hamming_loss",
        family="multi-label",
        unit="share",
        higher_is_better=False,
        range=(0.0, 1.0),
        needs=("labels",),
        source="share of wrong decisions, one for each item and label; Schapire and Singer (2000)",
        use="where each label is a question of its own, and too much is as bad as too little",
        avoid="with many rare labels: the empty set is then nearly always right; use jaccard",
    ),
    reason=_reason,
    columns=_decisions,
    statistic=_share,
    is_share=True,
)
JACCARD = PerItem(
    about=About(
        name="jaccard",
        family="multi-label",
        unit="share",
        higher_is_better=True,
        range=(0.0, 1.0),
        needs=("labels",),
        source="labels in both sets over labels in either, mean over items; Jaccard (1901), "
        "Godbole and Sarawagi (2004); 1 where both are empty",
        use="to see how much of each set is right, whatever the number of labels",
        avoid="where one wrong label spoils the answer: use exact_match",
    ),
    score=_overlap,
)
