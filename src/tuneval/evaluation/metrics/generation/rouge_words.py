"""ROUGE as papers on English report it, 0 to 100: Google's rouge_score without stems.

Words are runs of letters a to z and digits in lower case; a Chinese character is a word too,
which rouge_score leaves out. N-grams are counted, not only present.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tuneval.errors import UsageError
from tuneval.evaluation.kinds import OfArgument, of_texts
from tuneval.evaluation.metric import About
from tuneval.evaluation.metrics.generation.lcs import lcs_length
from tuneval.evaluation.metrics.generation.words import CHINESE

if TYPE_CHECKING:
    from tuneval.evaluation.kinds import PerItem

VARIANTS = ("1", "2", "l")
_WORD = re.compile(rf"[a-z0-9]+|[{CHINESE}]")


def rouge_words(prediction: str, reference: str, *, variant: str) -> float:
    """F1 of one pair, 0 to 100: of n-grams, or of the longest common subsequence for "l"."""
    ours, theirs = (_WORD.findall(text.lower()) for text in (prediction, reference))
    if variant == "l":
        shared, n_ours, n_theirs = lcs_length(ours, theirs), len(ours), len(theirs)
    else:
        said, wanted = _ngrams(ours, int(variant)), _ngrams(theirs, int(variant))
        shared, n_ours, n_theirs = (said & wanted).total(), said.total(), wanted.total()
    return 200 * shared / (n_ours + n_theirs) if shared else 0.0


def _ngrams(words: list[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[at : at + n]) for at in range(len(words) - n + 1))


def _of_variant(variant: str) -> PerItem:
    if variant not in VARIANTS:
        raise UsageError(
            f"There is no ROUGE-{variant.upper()} here.",
            mend="write " + ", ".join(f"'rouge_words:{each}'" for each in VARIANTS),
        )
    return of_texts(
        replace(ROUGE_WORDS.about, name=f"rouge_words:{variant}"),
        partial(rouge_words, variant=variant),
    )


ROUGE_WORDS = OfArgument(
    about=About(
        name="rouge_words",
        family="generation",
        unit="points",
        higher_is_better=True,
        range=(0.0, 100.0),
        needs=("prediction", "reference"),
        source="Lin (2004) as Google's rouge_score computes it, without stems; a Chinese "
        "character is a word; of several references the best",
        use="to compare with papers on English summaries",
        avoid="beside rouge-1, rouge-2 and rouge-l, whose words are jieba's and whose n-grams are "
        "sets",
    ),
    argument="variant",
    make=_of_variant,
    default="l",
    example="2",
)
