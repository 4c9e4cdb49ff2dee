"""BLEU-1 to BLEU-4 of one pair; the last as LLaMA-Factory reports it, 0 to 100.

On characters, also for English, up to four in a row, all orders weighted alike; NIST geometric
smoothing (method 3 of nltk's `SmoothingFunction`); the usual brevity penalty; rounded to 4
decimals. Of several references an n-gram counts as often as in the one that has it most, and the
length of the nearest one is held against the answer's (Papineni et al. 2002). A quirk of that
procedure: a perfect answer of fewer than four characters does not reach 100 in BLEU-4 (one
character: 35.3553), so that it says little about short labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tuneval.evaluation.metrics.generation.ngrams import shared_ngrams

LONGEST_NGRAM = 4
_NOTHING_SHARED = (0.0,) * LONGEST_NGRAM


def bleu(prediction: str, *references: str) -> tuple[float, ...]:
    """BLEU-1, -2, -3 and -4 of an answer, 0 to 100."""
    if not prediction or not any(references):
        return _NOTHING_SHARED
    logarithms: list[float] = []
    halvings = 0
    for n, shared in enumerate(shared_ngrams(prediction, references, LONGEST_NGRAM), start=1):
        total = max(1, len(prediction) - n + 1)
        if shared:
            precision = shared / total
        elif n == 1:
            return _NOTHING_SHARED
        else:
            halvings += 1
            precision = 1 / (2**halvings * total)
        logarithms.append(math.log(precision))
    brevity = _brevity_penalty(len(prediction), _nearest(len(prediction), references))
    # The weight goes into the sum, as in nltk: the last digit may depend on it.
    means = [
        math.fsum(1 / order * logarithm for logarithm in logarithms[:order])
        for order in range(1, LONGEST_NGRAM + 1)
    ]
    return tuple(round(brevity * math.exp(mean) * 100, 4) for mean in means)


def _nearest(length: int, references: Sequence[str]) -> int:
    """The length of a reference that is nearest, of equally near ones the shorter."""
    return min(map(len, references), key=lambda other: (abs(other - length), other))


def _brevity_penalty(length: int, reference_length: int) -> float:
    return 1.0 if length > reference_length else math.exp(1 - reference_length / length)
