"""Runs of characters that an answer has in common with its references."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np


def shared_ngrams(prediction: str, references: Sequence[str], longest: int) -> Iterator[int]:
    """For 1 to `longest` characters: how many n-grams of the answer a reference has.

    Each counts as often as in the reference that has it most. Neither the answer nor all of the
    references may be empty.
    """
    texts = (prediction, *references)
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    letters = np.unique(codes, return_inverse=True)[1]
    letters_of = np.split(letters, np.cumsum([len(text) for text in texts])[:-1])
    ngrams = letters_of
    for n in range(1, longest + 1):
        if n > 1:
            # An n-gram's number: from that of its first n - 1 letters and its last letter.
            ngrams = [
                before[:-1] * len(codes) + last[n - 1 :]
                for before, last in zip(ngrams, letters_of, strict=True)
            ]
            numbers = np.unique(np.concatenate(ngrams), return_inverse=True)[1]
            ngrams = np.split(numbers, np.cumsum([len(part) for part in ngrams])[:-1])
        ours, *theirs = (np.bincount(part, minlength=len(codes)) for part in ngrams)
        yield int(np.minimum(ours, np.maximum.reduce(theirs)).sum())
