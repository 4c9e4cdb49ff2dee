"""Conversations that stand twice in a set, exactly or nearly.

Nearly: what is asked and answered is compared, never the system turn, since all records of a
set often share one. Texts are compared as sets of short overlapping pieces (shingles): three
characters where words are spelled with letters, two in Chinese, Japanese and Korean, after
Unicode NFKC, lower case and with white space run together. The similarity of two sets is
Jaccard's: what they share, divided by all they have. A pair counts as near when the questions
alone reach the threshold (the same long answer to two questions is no duplicate), and question
and answer together reach it as well (one question answered in two ways is none either).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal

import numpy as np

from tuneval.data.example import Example
from tuneval.data.similarity_join import SimilarityIndex
from tuneval.errors import UsageError

LETTERS_PER_SHINGLE = 3
IDEOGRAPHS_PER_SHINGLE = 2
_MANY = 256
_IDEOGRAPH = (
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUNS = re.compile(f"([{_IDEOGRAPH}]+)|[^{_IDEOGRAPH}]+")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two examples that are alike, `first` standing earlier. Similarity from 0 to 1."""

    first: Example
    second: Example
    similarity: float


def exact_duplicates(examples: Sequence[Example]) -> list[Pair]:
    """Each example whose messages stood earlier already, with the first of them."""
    first: dict[str, Example] = {}
    pairs = [(first.setdefault(example.id, example), example) for example in examples]
    return [Pair(a, b, 1.0) for a, b in pairs if a is not b]


def conflicting_answers(examples: Sequence[Example]) -> list[Pair]:
    """Each example whose prompt stood earlier with another answer, with the first of them."""
    first: dict[tuple[tuple[str, str], ...], Example] = {}
    pairs = []
    for example in examples:
        if example.answer is not None:
            prompt = tuple((message.role, message.content) for message in example.prompt)
            earlier = first.setdefault(prompt, example)
            if earlier.answer != example.answer:
                pairs.append(Pair(earlier, example, 1.0))
    return pairs


def near_duplicates(
    examples: Sequence[Example],
    threshold: float = 0.8,
    *,
    keep: Literal["all", "first"] = "all",
) -> list[Pair]:
    """Pairs of different examples with at least that similarity; exact, not by sampling.

    `keep="first"` gives each example at most once, with the earliest one it is like. Of exact
    duplicates only the first takes part.
    """
    if not 0 < threshold <= 1:
        raise UsageError(
            f"A similarity threshold of {threshold} makes no sense.", mend="above 0, at most 1"
        )
    distinct = list({example.id: example for example in reversed(examples)}.values())[::-1]
    comparison = _Comparison(distinct, threshold)
    return [
        Pair(distinct[earlier], example, similarity)
        for number, example in enumerate(distinct)
        for earlier, similarity in comparison.earlier_ones_like(number, keep)
    ]


class _Comparison:
    """Finds what is near, by the questions first: they are short and mostly settle it."""

    def __init__(self, examples: Sequence[Example], threshold: float) -> None:
        self._index = partial(SimilarityIndex, threshold=threshold)
        self._examples = examples
        self._question_sets = [shingles(question(example)) for example in examples]
        self._questions = self._index(self._question_sets)

    @cached_property
    def _wholes(self) -> SimilarityIndex:
        """Questions and answers together; a piece of an answer differs from one of a question."""
        return self._index(
            [
                asked | {f"answer {piece}" for piece in shingles(answers(example))}
                for asked, example in zip(self._question_sets, self._examples, strict=True)
            ]
        )

    def earlier_ones_like(
        self, number: int, keep: Literal["all", "first"]
    ) -> Iterator[tuple[int, float]]:
        """Number and similarity of the earlier examples that are near, or of the first of them."""
        candidates = self._questions.candidates(number)
        if len(candidates) > _MANY:
            likely = self._wholes.candidates(number)
            candidates = np.intersect1d(candidates, likely, assume_unique=True)
        for start in range(0, len(candidates), _MANY):
            asked, _ = self._questions.similar(number, candidates[start : start + _MANY])
            if len(asked):
                near, similarity = self._wholes.similar(number, asked)
                found = zip(near.tolist(), similarity.tolist(), strict=True)
                if keep == "first" and len(near):
                    yield next(found)
                    return
                yield from found


def question(example: Example) -> str:
    """The user turns, one after the other."""
    return "\n".join(m.content for m in example.messages if m.role == "user")


def answers(example: Example) -> str:
    """The assistant turns, one after the other."""
    return "\n".join(m.content for m in example.messages if m.role == "assistant")


def shingles(text: str) -> frozenset[str]:
    """The short overlapping pieces of a text; a run that is too short for one is its own piece."""
    plain = " ".join(unicodedata.normalize("NFKC", text).lower().split())
    pieces: set[str] = set()
    for run in _RUNS.finditer(plain):
        characters = run[0]
        width = IDEOGRAPHS_PER_SHINGLE if run[1] else LETTERS_PER_SHINGLE
        last = max(1, len(characters) - width + 1)
        pieces.update(characters[start : start + width] for start in range(last))
    return frozenset(pieces)
