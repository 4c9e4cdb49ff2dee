"""METEOR of one pair, 0 to 1, as nltk has it: exact words, then stems, then synonyms if asked for.

Stems and synonyms are nltk's; the alignment is written here, since in nltk before 3.10 it takes as
long as the product of the lengths. `meteor` is the same on every machine. `meteor:wordnet` adds
the synonyms of WordNet, which nltk must have on this machine. Chinese words are jieba's, and have
neither stems nor synonyms there.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import cache, lru_cache, partial
from itertools import pairwise
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
ALPHA, BETA, GAMMA = 0.9, 3.0, 0.5
STEMS_KEPT = 65_536

Forms = Callable[[str], Collection[str]]
"""What a word may be matched as."""


def meteor(prediction: str, reference: str, *, stages: str = "stem") -> float:
    """METEOR of one pair. Raises MissingPackageError when WordNet is wanted and not there."""
    said, wanted = _words(prediction), _words(reference)
    matches = _aligned(said, wanted, _wordnet() if stages == "wordnet" else None)
    if not matches:
        return 0.0
    precision, recall = len(matches) / len(said), len(matches) / len(wanted)
    mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
    penalty: float = GAMMA * (_n_chunks(matches) / len(matches)) ** BETA
    return (1 - penalty) * mean


def _aligned(
    said: Sequence[str], wanted: Sequence[str], wordnet: Any | None
) -> list[tuple[int, int]]:
    """Places of words that match, in the answer's order; from the ends back, as nltk has it.

    A word of the answer takes the last free one of the reference that it matches in a stage.
    """
    stages: list[tuple[Forms, Forms]] = [(_itself, _itself), (_stem, _stem)]
    if wordnet is not None:
        stages.append((partial(_synonyms, wordnet), _stem))
    left, open_places = list(range(len(said)))[::-1], list(range(len(wanted)))
    matches: list[tuple[int, int]] = []
    for forms, form in stages:
        by_form: dict[str, list[int]] = {}
        for place in open_places:
            (key,) = form(wanted[place])
            by_form.setdefault(key, []).append(place)
        unmatched = []
        for place in left:
            found = [there for key in forms(said[place]) if (there := by_form.get(key))]
            if found:
                matches.append((place, max(found, key=lambda places: places[-1]).pop()))
            else:
                unmatched.append(place)
        left, open_places = unmatched, sorted(p for places in by_form.values() for p in places)
    return sorted(matches)


def _n_chunks(matches: Sequence[tuple[int, int]]) -> int:
    """Into how many runs the matches fall that stand alike in both texts."""
    return 1 + sum(after != (before[0] + 1, before[1] + 1) for before, after in pairwise(matches))


def _itself(word: str) -> Collection[str]:
    return (word,)


@lru_cache(maxsize=STEMS_KEPT)
def _stem(word: str) -> Collection[str]:
    return (str(_stemmer().stem(word)),)


def _synonyms(wordnet: Any, word: str) -> Collection[str]:
    """Of the word's stem, as nltk asks for them: many words have none there."""
    (word,) = _stem(word)
    names = (lemma.name() for synset in wordnet.synsets(word) for lemma in synset.lemmas())
    return {word, *(name for name in names if "_" not in name)}


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
        return [word.lower() for word in tokens(text)]
    return [word.lower() for word in segment(text) if not word.isspace()]


@cache
def _stemmer() -> Any:
    with warnings.catch_warnings():  # of packages that nltk imports
        warnings.simplefilter("ignore")
        return require("nltk.stem.porter", extra="eval", why="to compute METEOR").PorterStemmer()


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
        "synonyms too, where nltk has WordNet; of several references the best",
        use="for English sentences where recall matters and word forms vary",
        avoid="beside METEOR 1.5's numbers, whose weights and paraphrases differ, and for "
        "Chinese, which has no stems",
    ),
    argument="stages",
    make=_of_stages,
    default="stem",
    example="wordnet",
)
