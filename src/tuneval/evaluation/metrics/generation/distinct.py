"""How varied answers are: distinct n-grams over all of them, repeated ones within each.

Words are as in `words`: Chinese by character, lower case, punctuation left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tuneval.errors import UsageError
from tuneval.evaluation.kinds import OfArgument, OfSet, PerItem
from tuneval.evaluation.kinds.per_item import lacks_answer
from tuneval.evaluation.metric import About, Unscored
from tuneval.evaluation.metrics.generation.words import words

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.jackknife import LeftOut
    from tuneval.statistics.sample import Clusters

LONGEST_NGRAM = 9

Ngrams = Counter[tuple[str, ...]]


def ngrams(text: str, n: int) -> Ngrams:
    """How often each run of n words stands in a text."""
    found = words(text)
    return Counter(tuple(found[at : at + n]) for at in range(len(found) - n + 1))


def distinct_left_out(counts: Sequence[Ngrams], clusters: Clusters | None) -> LeftOut | None:
    """Distinct n-grams over all n-grams, and the same without each cluster; None without any."""
    import numpy as np

    from tuneval.statistics.jackknife import LeftOut

    by_cluster: dict[Hashable, Ngrams] = {}
    for place, found in enumerate(counts):
        key = None if clusters is None else clusters[place]
        by_cluster.setdefault(("alone", place) if key is None else ("key", key), Counter()).update(
            found
        )
    holders = Counter(ngram for found in by_cluster.values() for ngram in found)
    written = sum(found.total() for found in by_cluster.values())
    if not written:
        return None
    without = []
    for found in by_cluster.values():
        own = sum(holders[ngram] == 1 for ngram in found)
        without.append((len(holders) - own) / max(1, written - found.total()))
    return LeftOut(len(holders) / written, np.array(without), len(counts))


def _distinct(argument: str) -> OfSet:
    n = _order(argument, "distinct")

    def left_out(items: Sequence[Item], clusters: Clusters | None) -> LeftOut | None:
        return distinct_left_out([ngrams(item.predict or "", n) for item in items], clusters)

    def own(item: Item) -> float:
        found = ngrams(item.predict or "", n)
        return len(found) / max(1, found.total())

    return OfSet(
        about=replace(DISTINCT.about, name=f"distinct:{n}"),
        reason=lacks_answer,
        left_out=left_out,
        own=own,
    )


def _repetition(argument: str) -> PerItem:
    n = _order(argument, "repetition")

    def score(item: Item) -> float | Unscored:
        reason = lacks_answer(item)
        if reason is not None:
            return Unscored(reason)
        found = ngrams(item.predict or "", n)
        if not found:
            return Unscored(f"the answer has fewer than {n} words")
        return 1 - len(found) / found.total()

    return PerItem(about=replace(REPETITION.about, name=f"repetition:{n}"), score=score)


def _order(argument: str, name: str) -> int:
    if argument not in map(str, range(1, LONGEST_NGRAM + 1)):
        raise UsageError(
            f"'{argument}' is no length of a run of words.",
            mend=f"write a number from 1 to {LONGEST_NGRAM}, as in '{name}:2'",
        )
    return int(argument)


DISTINCT = OfArgument(
    about=About(
        name="distinct",
        family="generation",
        unit="share",
        higher_is_better=True,
        range=(0.0, 1.0),
        needs=("prediction",),
        source="Li et al. (2016): distinct n-grams of all answers, over all their n-grams (the "
        "paper: over all their words); interval by jackknife",
        use="to see whether a model says the same to everybody",
        avoid="to compare sets of different size or answers of different length: it falls with "
        "every word written",
    ),
    argument="n",
    make=_distinct,
    default="2",
    example="1",
)
REPETITION = OfArgument(
    about=About(
        name="repetition",
        family="generation",
        unit="share",
        higher_is_better=False,
        range=(0.0, 1.0),
        needs=("prediction",),
        source="Welleck et al. (2020), seq-rep-n: the share of an answer's n-grams that stood "
        "before in it, mean over answers",
        use="to find answers that run in circles",
        avoid="for poems, code and tables, which repeat rightly",
    ),
    argument="n",
    make=_repetition,
    default="4",
    example="3",
)
