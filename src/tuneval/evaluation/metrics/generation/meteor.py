"""METEOR of one pair, 0 to 1, by nltk: exact words, then stems, then synonyms if asked for.

`meteor` is the same on every machine. `meteor:wordnet` adds the synonyms of WordNet, which nltk
must have on this machine. Chinese words are jieba's, and have neither stems nor synonyms there.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tuneval.errors import MissingPackageError, UsageError
from tuneval.evaluation.kinds import OfArgument, of_texts
from tuneval.evaluation.metric import About
from tuneval.evaluation.metrics.generation.segment import segment
from tuneval.evaluation.metrics.generation.words import has_chinese, tokens
from tuneval.extras import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuneval.evaluation.kinds import PerItem

STAGES = ("stem", "wordnet")


def meteor(prediction: str, reference: str, *, stages: str = "stem") -> float:
    """METEOR of one pair. Raises MissingPackageError when WordNet is wanted and not there."""
    synonyms = _wordnet() if stages == "wordnet" else _NoSynonyms()
    return float(
        _nltk_meteor().single_meteor_score(_words(reference), _words(prediction), wordnet=synonyms)
    )


def _of_stages(stages: str) -> PerItem:
    if stages not in STAGES:
        raise UsageError(
            f"METEOR has no stage '{stages}'.",
            mend="write 'meteor' for words and stems, 'meteor:wordnet' for synonyms too",
        )
    return of_texts(
        replace(METEOR.about, name=f"meteor:{stages}"),
        lambda prediction, reference: meteor(prediction, reference, stages=stages),
    )


def _words(text: str) -> list[str]:
    if not has_chinese(text):
        return tokens(text)
    return [word for word in segment(text) if not word.isspace()]


class _NoSynonyms:
    """In WordNet's place: no word has a synonym, so that only words and stems match."""

    def synsets(self, word: str) -> Sequence[Any]:
        """None of any word."""
        return ()


@cache
def _nltk_meteor() -> ModuleType:
    with warnings.catch_warnings():  # of packages that nltk imports
        warnings.simplefilter("ignore")
        return require("nltk.translate.meteor_score", extra="eval", why="to compute METEOR")


@cache
def _wordnet() -> Any:
    corpus = require("nltk.corpus", extra="eval", why="to compute METEOR").wordnet
    try:
        corpus.ensure_loaded()
    except LookupError:
        raise MissingPackageError(
            "WordNet, which METEOR's synonyms come from, is not on this machine.",
            mend="python -m nltk.downloader wordnet, or write 'meteor' to do without synonyms",
        ) from None
    return corpus


METEOR = OfArgument(
    about=About(
        name="meteor",
        family="generation",
        unit="share",
        higher_is_better=True,
        range=(0.0, 1.0),
        needs=("prediction", "reference"),
        source="Lavie and Agarwal (2007) by nltk: words and Porter's stems; with `:wordnet` "
        "synonyms too, where nltk has WordNet",
        use="for English sentences where recall matters and word forms vary",
        avoid="beside METEOR 1.5's numbers, whose weights and paraphrases differ, and for "
        "Chinese, which has no stems",
    ),
    argument="stages",
    make=_of_stages,
    default="stem",
    example="wordnet",
)
