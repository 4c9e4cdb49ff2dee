"""Figures from the likelihood of whole texts: how well a model predicts held-out writing.

Per token the figure depends on the tokenizer; per word, character or byte it does not. All are
ratios of sums over the texts, so that a long text counts for more than a short one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tuneval.evaluation.kinds import OfSums
from tuneval.evaluation.metric import About
from tuneval.evaluation.metrics.likelihood import FURTHEST, NOT_FINITE

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item, Read
    from tuneval.statistics.sample import Floats

NOT_READ = "the text was not read"
NO_TEXT = "the text that was read is not kept with the item, so its words cannot be counted"

_BLANKS = re.compile(r"\s+")

Size = Callable[["Item", "Read"], int]


def unread(item: Item) -> str | None:
    """Why an item has no likelihood of a text; None when it has."""
    if item.read is None:
        return item.skipped.get("read", NOT_READ)
    if not item.read.n_tokens:
        return "the text has no token"
    return None if abs(item.read.nll) <= FURTHEST else NOT_FINITE


def _without_words(item: Item) -> str | None:
    reason = unread(item)
    if reason is None and item.read is not None and len(item.prompt) != item.read.n_characters:
        return NO_TEXT
    return reason


def _row(
    about: About,
    size: Size,
    *,
    is_exponential: bool = False,
    reason: Callable[[Item], str | None] = unread,
) -> OfSums:
    """Nats over `size`: their exp, or in bits."""

    def columns(items: Sequence[Item]) -> Floats:
        import numpy as np

        read = [(item, item.read) for item in items if item.read is not None]
        return np.array([(r.nll, size(item, r)) for item, r in read], dtype=np.float64)

    def statistic(sums: Floats) -> Floats:
        import numpy as np

        mean = sums[..., 0] / sums[..., 1]
        return np.asarray(np.exp(mean) if is_exponential else mean / math.log(2))

    return OfSums(about=about, reason=reason, columns=columns, statistic=statistic)


_PERPLEXITY = About(
    name="text_perplexity",
    family="likelihood",
    unit="",
    higher_is_better=False,
    range=(1.0, math.inf),
    needs=("text likelihood",),
    source="exp of the mean negative log-likelihood per token of the texts; Jelinek et al. (1977)",
    use="to follow one model, or models with one tokenizer, on held-out text",
    avoid="to compare models with different tokenizers: longer tokens are harder each",
)
TEXT_PERPLEXITY = _row(_PERPLEXITY, lambda _, read: read.n_tokens, is_exponential=True)
WORD_PERPLEXITY = _row(
    replace(
        _PERPLEXITY,
        name="word_perplexity",
        source="exp of the negative log-likelihood per word; words are counted as "
        "lm-eval does: what blanks split the text into",
        use="to compare with published figures of English, such as WikiText's",
        avoid="for Chinese, which has no blanks between words, and across sets that are written "
        "differently",
    ),
    lambda item, _: len(_BLANKS.split(item.prompt)),
    is_exponential=True,
    reason=_without_words,
)
BITS_PER_BYTE = _row(
    replace(
        _PERPLEXITY,
        name="bits_per_byte",
        range=(0.0, math.inf),
        source="negative log2-likelihood per byte of the text in UTF-8; Gao et al. (2020)",
        use="to compare models with any tokenizers on the same text",
        avoid="across languages: a Chinese character is three bytes and a Latin letter one",
    ),
    lambda _, read: read.n_bytes,
)
BITS_PER_CHARACTER = _row(
    replace(
        _PERPLEXITY,
        name="bits_per_character",
        range=(0.0, math.inf),
        source="negative log2-likelihood per character (Unicode code point) of the text",
        use="to compare models with any tokenizers on the same text, mostly Chinese",
        avoid="across languages: a Chinese character says more than a Latin letter",
    ),
    lambda _, read: read.n_characters,
)
