"""BLEU-1 to BLEU-4 of one pair; the last as LLaMA-Factory reports it, 0 to 100.

On characters, also for English, up to four in a row, all orders weighted alike; one reference;
NIST geometric smoothing (method 3 of nltk's `SmoothingFunction`); the usual brevity penalty;
rounded to 4 decimals. A quirk of that procedure: a perfect answer of fewer than four characters
does not reach 100 in BLEU-4 (one character: 35.3553), so that it says little about short labels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

LONGEST_NGRAM = 4
_NOTHING_SHARED = (0.0,) * LONGEST_NGRAM


def bleu(prediction: str, reference: str) -> tuple[float, ...]:
    """BLEU-1, -2, -3 and -4 of one pair, 0 to 100."""
    if not prediction or not reference:
        return _NOTHING_SHARED
    logarithms: list[float] = []
    halvings = 0
    for n, shared in enumerate(_shared_ngrams(prediction, reference), start=1):
        total = max(1, len(prediction) - n + 1)
        if shared:
            precision = shared / total
        elif n == 1:
            return _NOTHING_SHARED
        else:
            halvings += 1
            precision = 1 / (2**halvings * total)
        logarithms.append(math.log(precision))
    brevity = _brevity_penalty(len(prediction), len(reference))
    # The weight goes into the sum, as in nltk: the last digit may depend on it.
    means = [
        math.fsum(1 / order * logarithm for logarithm in logarithms[:order])
        for order in range(1, LONGEST_NGRAM + 1)
    ]
    return tuple(round(brevity * math.exp(mean) * 100, 4) for mean in means)


def _shared_ngrams(prediction: str, reference: str) -> Iterator[int]:
    """For 1 to 4 characters: how many n-grams both have, each counted as often as in both."""
    codes = np.frombuffer((prediction + reference).encode("utf-32-le", "surrogatepass"), np.uint32)
    letters = np.unique(codes, return_inverse=True)[1]
    our_letters, their_letters = letters[: len(prediction)], letters[len(prediction) :]
    ours, theirs = our_letters, their_letters
    for n in range(1, LONGEST_NGRAM + 1):
        if n > 1:
            # An n-gram's number: from that of its first n - 1 letters and its last letter.
            ours = ours[:-1] * len(codes) + our_letters[n - 1 :]
            theirs = theirs[:-1] * len(codes) + their_letters[n - 1 :]
            numbers = np.unique(np.concatenate([ours, theirs]), return_inverse=True)[1]
            ours, theirs = numbers[: len(ours)], numbers[len(ours) :]
        size = len(codes)
        counts = np.minimum(np.bincount(ours, minlength=size), np.bincount(theirs, minlength=size))
        yield int(counts.sum())


def _brevity_penalty(length: int, reference_length: int) -> float:
    return 1.0 if length > reference_length else math.exp(1 - reference_length / length)
