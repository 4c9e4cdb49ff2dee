"""ROUGE-1, ROUGE-2 and ROUGE-L of one pair as LLaMA-Factory reports them, 0 to 100.

Words come from jieba, also for English. The rules of rouge_chinese 1.0.3 hold: n-grams are sets,
not counts; they run across sentence borders; ROUGE-L is over all words; F1 has 1e-8 in its
denominator, so that a perfect score rounds to 100 from below; values are rounded to 4 decimals.
A text without words scores 0.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from tuneval.evaluation.metrics.generation.lcs import lcs_length
from tuneval.evaluation.metrics.generation.segment import segment

CACHED_TEXTS = 4_096

_AFTER_STOP = re.compile(r"([。！？?]) ")
_AFTER_SIX_DOTS = re.compile(r"(\.{6})([^”’])")


class Rouge(NamedTuple):
    """F1 of the three variants, 0 to 100."""

    rouge_1: float
    rouge_2: float
    rouge_l: float


def rouge(prediction: str, reference: str) -> Rouge:
    """The three ROUGE values of one pair."""
    ours, theirs = _words_of(prediction), _words_of(reference)
    if not ours.words or not theirs.words:
        return Rouge(0.0, 0.0, 0.0)
    return Rouge(
        _f1(len(ours.unigrams & theirs.unigrams), len(ours.unigrams), len(theirs.unigrams)),
        _f1(len(ours.bigrams & theirs.bigrams), len(ours.bigrams), len(theirs.bigrams)),
        _f1(lcs_length(theirs.words, ours.words), len(ours.words), len(theirs.words)),
    )


def forget_words() -> None:
    """Empty the cache of words of whole texts."""
    _words_of.cache_clear()


class _Words(NamedTuple):
    words: list[str]
    unigrams: set[str]
    bigrams: set[tuple[str, str]]


@lru_cache(maxsize=CACHED_TEXTS)
def _words_of(text: str) -> _Words:
    """Words of a text, with their sets; none at all when the text is blank."""
    joined = " ".join(segment(text))
    words = _words_by_sentence(joined) if joined and not joined.isspace() else []
    return _Words(words, set(words), set(pairwise(words)))


def _words_by_sentence(joined: str) -> list[str]:
    """Words of tokens joined by blanks, sentence by sentence.

    The sentences matter for two things only: six dots cut a word in two, and a sentence of
    blanks counts as one empty word. rouge_chinese also has rules for stops that are followed
    by a closing quote and for two ellipses; between joined tokens stands a blank, so that they
    never apply.
    """
    text = _AFTER_STOP.sub("\\1\n ", joined)
    if "......" in text:
        text = _AFTER_SIX_DOTS.sub("\\1\n\\2", text)
    words: list[str] = []
    for sentence in text.rstrip().split("\n"):
        if sentence:
            words.extend(sentence.split() or [""])
    return words


def _f1(shared: int, n_prediction: int, n_reference: int) -> float:
    precision = shared / n_prediction if n_prediction else 0.0
    recall = shared / n_reference if n_reference else 0.0
    return round(2.0 * ((precision * recall) / (precision + recall + 1e-8)) * 100, 4)
