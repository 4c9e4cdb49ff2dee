"""The texts of questions as they are compared: without differences that say nothing."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from tuneval.evaluation.question import Question

FEWEST = 3
"""Questions of a stratum from which on what they all share counts as the protocol's words."""


def normal(text: str) -> str:
    """The text without differences of case, width and spacing."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def stems(questions: Sequence[Question], strata: str | None) -> list[str]:
    """What each question asks, without the beginning and the end that its stratum's all share."""
    places: dict[object, list[int]] = defaultdict(list)
    for place, question in enumerate(questions):
        places[question.tags.get(strata) if strata else None].append(place)
    found = [question.asked for question in questions]
    for some in places.values():
        texts = [found[place] for place in some]
        if len(set(texts)) < FEWEST:
            continue
        begin = _n_shared(texts)
        end = _n_shared([text[begin:][::-1] for text in texts])
        for place, text in zip(some, texts, strict=True):
            found[place] = text[begin : len(text) - end]
    return found


def _n_shared(texts: Sequence[str]) -> int:
    """How many characters all texts begin with: those that the first and the last by order do."""
    first, last = min(texts), max(texts)
    pairs = enumerate(zip(first, last, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(first), len(last)))
