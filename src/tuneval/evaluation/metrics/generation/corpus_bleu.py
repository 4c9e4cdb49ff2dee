"""Corpus BLEU as sacrebleu computes it, 0 to 100, with an interval.

BLEU is a function of counts summed over the answers: n-grams shared and written, and lengths.
sacrebleu counts, answer by answer; what follows is its formula (exponential smoothing, no
effective order) on many sums at once, so that ten thousand resamples cost a moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from tuneval.catalog import did_you_mean
from tuneval.errors import UsageError
from tuneval.evaluation.kinds import OfArgument, OfSums
from tuneval.evaluation.kinds.per_item import lacks_texts, texts_of
from tuneval.evaluation.metric import About
from tuneval.evaluation.metrics.generation.words import has_chinese
from tuneval.extras import require

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.sample import Floats

TOKENIZERS = ("auto", "13a", "zh", "char", "intl", "none")
"""sacrebleu's that need no further package; auto: zh where the reference has Chinese, else 13a."""
LONGEST_NGRAM = 4


def bleu_counts(prediction: str, *references: str, tokenizer: str = "auto") -> list[int]:
    """Both lengths, then n-grams shared and n-grams written, of 1 to 4 words: ten numbers.

    Of several references the length is that of the nearest, and each n-gram counts as often as in
    the one that has it most.
    """
    if tokenizer == "auto":
        tokenizer = "zh" if any(map(has_chinese, references)) else "13a"
    streams = [[reference] for reference in references]
    found = _sacrebleu(tokenizer).corpus_score([prediction], streams)
    return [found.sys_len, found.ref_len, *found.counts, *found.totals]


def bleu_of_sums(sums: Floats) -> Floats:
    """BLEU of summed counts (..., 10), as `sacrebleu.BLEU.compute_bleu` smoothed by "exp"."""
    import numpy as np

    our_length, their_length = sums[..., 0], sums[..., 1]
    shared, written = sums[..., 2 : 2 + LONGEST_NGRAM], sums[..., 2 + LONGEST_NGRAM :]
    with np.errstate(divide="ignore", invalid="ignore"):
        smoothing = 2.0 ** np.cumsum(shared == 0, axis=-1)
        precision = np.where(shared > 0, shared / written, 1 / (smoothing * written))
        brevity = np.where(our_length < their_length, np.exp(1 - their_length / our_length), 1.0)
        score = 100 * brevity * np.exp(np.log(precision).mean(axis=-1))
    defined = shared.any(axis=-1) & (written > 0).all(axis=-1)
    return np.asarray(np.where(defined, score, 0.0))


def _of_tokenizer(tokenizer: str) -> OfSums:
    if tokenizer not in TOKENIZERS:
        raise UsageError(
            f"sacrebleu's tokenizer '{tokenizer}' is not offered.",
            mend=did_you_mean(tokenizer, list(TOKENIZERS)),
        )

    def columns(items: Sequence[Item]) -> Floats:
        import numpy as np

        texts = map(texts_of, items)
        rows = [bleu_counts(said, *true, tokenizer=tokenizer) for said, true in texts]
        return np.array(rows, dtype=np.float64)

    return OfSums(
        about=replace(SACREBLEU.about, name=f"sacrebleu:{tokenizer}"),
        reason=lacks_texts,
        columns=columns,
        statistic=bleu_of_sums,
    )


@cache
def _sacrebleu(tokenizer: str) -> Any:
    metrics = require("sacrebleu.metrics", extra="eval", why="to compute corpus BLEU")
    return metrics.BLEU(tokenize=tokenizer)


SACREBLEU = OfArgument(
    about=About(
        name="sacrebleu",
        family="generation",
        unit="points",
        higher_is_better=True,
        range=(0.0, 100.0),
        needs=("prediction", "reference"),
        source="Papineni et al. (2002), Post (2018) by sacrebleu: case kept, smoothed by exp, "
        "tokenizer 13a, or zh where the reference has Chinese; several references count together",
        use="for translations: the BLEU that papers print",
        avoid="for a few short answers, and beside the mean of sentence scores, which is another "
        "number",
    ),
    argument="tokenizer",
    make=_of_tokenizer,
    default="auto",
    example="zh",
)
