"""chrF of a whole set as sacrebleu computes it, 0 to 100, with an interval.

sacrebleu finds the character n-grams of each text; the F-score here is its formula on the sums
of many resamples at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from tuneval.evaluation.kinds import OfSums
from tuneval.evaluation.kinds.per_item import both_texts, lacks_texts
from tuneval.evaluation.metric import About
from tuneval.extras import require

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.sample import Floats

LONGEST_NGRAM = 6
RECALL_WEIGHT = 2


def chrf_of_sums(sums: Floats) -> Floats:
    """chrF2 of counts (..., 18): for each order the answer's n-grams, the reference's, shared."""
    import numpy as np

    counts = sums.reshape(*sums.shape[:-1], LONGEST_NGRAM, 3)
    ours, theirs, shared = counts[..., 0], counts[..., 1], counts[..., 2]
    counted = (ours > 0) & (theirs > 0)
    # Orders that one side is too short for are left out of both means.
    n_orders = np.maximum(counted.sum(axis=-1), 1)
    precision = np.where(counted, shared / np.maximum(ours, 1), 0).sum(axis=-1) / n_orders
    recall = np.where(counted, shared / np.maximum(theirs, 1), 0).sum(axis=-1) / n_orders
    weight = RECALL_WEIGHT**2
    below = weight * precision + recall
    return np.asarray(
        100 * (1 + weight) * precision * recall / np.where(below > 0, below, 1), dtype=np.float64
    )


def chrf_counts(prediction: str, reference: str) -> list[int]:
    """For 1 to 6 characters: n-grams of the answer, of the reference, shared; 18 numbers."""
    ngrams = _helpers().extract_all_char_ngrams
    counts: list[int] = []
    for ours, theirs in zip(
        ngrams(prediction, LONGEST_NGRAM), ngrams(reference, LONGEST_NGRAM), strict=True
    ):
        # As in sacrebleu: nothing is held against an answer where the reference has no n-gram.
        counts += [ours.total() if theirs else 0, theirs.total(), (ours & theirs).total()]
    return counts


def _columns(items: Sequence[Item]) -> Floats:
    import numpy as np

    return np.array([chrf_counts(*both_texts(item)) for item in items], dtype=np.float64)


def _helpers() -> ModuleType:
    return require("sacrebleu.metrics.helpers", extra="eval", why="to compute chrF")


CHRF = OfSums(
    about=About(
        name="chrf",
        family="generation",
        unit="points",
        higher_is_better=True,
        range=(0.0, 100.0),
        needs=("prediction", "reference"),
        source="Popović (2015) by sacrebleu: chrF2, up to six characters, blanks left out",
        use="for translations into languages with many word forms, and for Chinese: it needs no "
        "words",
        avoid="to see whether an answer is true: spelling alike counts, meaning does not",
    ),
    reason=lacks_texts,
    columns=_columns,
    statistic=chrf_of_sums,
)
