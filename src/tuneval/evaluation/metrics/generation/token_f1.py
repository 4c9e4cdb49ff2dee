"""Overlap of the words of an answer and of its reference, as question answering is graded.

English as SQuAD's own script: lower case, without punctuation and the articles. Chinese as
CMRC 2018's: each character is a word, full-width punctuation goes as well.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter

from tuneval.evaluation.kinds import of_texts
from tuneval.evaluation.metric import About
from tuneval.evaluation.metrics.generation.words import CHINESE

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_WORD = re.compile(rf"[{CHINESE}]|[^\s{CHINESE}]+")


def token_f1(prediction: str, reference: str) -> float:
    """F1 of the two bags of words, 0 to 1; two texts without words are alike (SQuAD 2.0)."""
    said, wanted = Counter(_words(prediction)), Counter(_words(reference))
    if not said or not wanted:
        return float(said == wanted)
    shared = (said & wanted).total()
    return 2 * shared / (said.total() + wanted.total())


def _words(text: str) -> list[str]:
    kept = "".join(character for character in text.lower() if not _is_left_out(character))
    return _WORD.findall(_ARTICLES.sub(" ", kept))


def _is_left_out(character: str) -> bool:
    """Whether it is one of Python's `string.punctuation`, also in full width, or a mark."""
    if unicodedata.category(character)[0] == "P":
        return True
    plain = unicodedata.normalize("NFKC", character)
    return len(plain) == 1 and plain in string.punctuation


TOKEN_F1 = of_texts(
    About(
        name="token_f1",
        family="generation",
        unit="share",
        higher_is_better=True,
        range=(0.0, 1.0),
        needs=("prediction", "reference"),
        source="Rajpurkar et al. (2016), SQuAD's normalisation; Chinese by character as in "
        "CMRC 2018 (Cui et al. 2019); of several references the best",
        use="for short answers from a text: names, dates, phrases",
        avoid="for long answers, and where a single word such as 'not' turns the meaning",
    ),
    token_f1,
)
