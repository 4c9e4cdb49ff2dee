"""chrF of a whole set as sacrebleu computes it, 0 to 100, with an interval.

The F-score is sacrebleu's formula on the sums of many resamples at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING

from tuneval.evaluation.kinds import OfSums
from tuneval.evaluation.kinds.per_item import lacks_texts, texts_of
from tuneval.evaluation.metric import About

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.sample import Floats

LONGEST_NGRAM = 6
RECALL_WEIGHT = 2

Counts = list[int]


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


def chrf_counts(prediction: str, *references: str) -> Counts:
    """For 1 to 6 characters: n-grams of the answer, of the reference, shared; 18 numbers.

    Of several references the one counts by which the answer alone has the highest chrF.
    """
    said = "".join(prediction.split())
    found = [_counts(said, "".join(reference.split())) for reference in references]
    return found[0] if len(found) == 1 else max(found, key=_chrf_alone)


def _counts(said: str, wanted: str) -> Counts:
    from tuneval.evaluation.metrics.generation.ngrams import shared_ngrams

    counts: Counts = []
    is_shared = said and wanted
    shared = shared_ngrams(said, [wanted], LONGEST_NGRAM) if is_shared else repeat(0, LONGEST_NGRAM)
    for n, in_both in enumerate(shared, start=1):
        ours, theirs = max(0, len(said) - n + 1), max(0, len(wanted) - n + 1)
        # As in sacrebleu: nothing is held against an answer where the reference has no n-gram.
        counts += [ours if theirs else 0, theirs, in_both]
    return counts


def _chrf_alone(counts: Counts) -> float:
    import numpy as np

    return float(chrf_of_sums(np.array(counts, dtype=np.float64)))


def _columns(items: Sequence[Item]) -> Floats:
    import numpy as np

    rows = [chrf_counts(said, *true) for said, true in map(texts_of, items)]
    return np.array(rows, dtype=np.float64)


CHRF = OfSums(
    about=About(
        name="chrf",
        family="generation",
        unit="points",
        higher_is_better=True,
        range=(0.0, 100.0),
        needs=("prediction", "reference"),
        source="Popović (2015) as sacrebleu has it: chrF2, up to six characters, blanks left out; "
        "of several references the nearest",
        use="for translations into languages with many word forms, and for Chinese: it needs no "
        "words",
        avoid="to see whether an answer is true: spelling alike counts, meaning does not",
    ),
    reason=lacks_texts,
    columns=_columns,
    statistic=chrf_of_sums,
)
