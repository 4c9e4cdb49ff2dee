"""How well documents are put in order for a query; an item is a query.

The order comes from the field `document_scores` {id: score}, the field `ranking` (ids, best
first), the likelihoods of a multiple choice between the documents, or the answer's text (a JSON
list, or ids between >, commas or lines, numbered or not). `relevance` {id: gain}, or a list of
the relevant ids, says what is relevant. `documents` lists the ids of all that were shown, where an
answer calls them by letter or number: A or 1 is the first.

A document named twice counts where it is first named. Documents shown but not named come last
together. Equal scores count as the mean over all orders of them (McSherry and Najork 2008), so
that the order of the file plays no part. An answer that names no document has put none in order,
and scores what chance or nothing gives.
"""

from __future__ import annotations

import json
import math
import re
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tuneval.errors import UsageError
from tuneval.evaluation.kinds import OfArgument, PerItem
from tuneval.evaluation.metric import About, Unscored
from tuneval.evaluation.values.read import BULLET, as_number, list_of, why_unanswered

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item

Ties = Sequence[Sequence[str]]
"""Ids, best first; those of one group stand at the same height."""
Gains = Mapping[str, float]
NO_RELEVANCE = "no document is relevant"
_BETWEEN = re.compile(r"[>,;\n、]")
_COLON = re.compile("[:：]")
_AROUND = " \t\r.\"'`[](){}<>“”‘’「」【】。"


def ordered(item: Item) -> Ties | Unscored:
    """The documents as the item's answer puts them."""
    scores = item.fields.get("document_scores")
    if isinstance(scores, Mapping):
        return _by_score({str(name): as_number(score) for name, score in scores.items()})
    shown = list_of(item.fields.get("documents"))
    named = item.fields.get("ranking")
    if named is not None:
        parts = _parts(named) if isinstance(named, str) else list_of(named)
        return _with_the_rest(parts, shown)
    if item.chosen is not None and len(shown) == len(item.chosen.logprobs):
        return _by_score(dict(zip(shown, item.chosen.logprobs, strict=True)))
    reason = why_unanswered(item)
    if reason is not None:
        return Unscored(reason)
    said = (_called(part, shown) for part in _parts(item.said or ""))
    return _with_the_rest((name for name in said if name is not None), shown)


def gains_of(item: Item) -> Gains | Unscored:
    """The gain of each relevant document."""
    given = item.fields.get("relevance")
    if isinstance(given, Mapping):
        gains = {str(name): as_number(gain) or 0.0 for name, gain in given.items()}
    else:
        gains = dict.fromkeys(list_of(given), 1.0)
    relevant = {name: gain for name, gain in gains.items() if gain > 0}
    return relevant or Unscored(NO_RELEVANCE)


def ndcg(ties: Ties, gains: Gains, depth: int | None) -> float:
    """Discounted gain of the order over that of the best order. Järvelin and Kekäläinen (2002)."""
    best = sorted(gains.values(), reverse=True)[:depth]
    ideal = sum(gain / math.log2(rank + 1) for rank, gain in enumerate(best, start=1))
    total, rank = 0.0, 0
    for group in ties:
        mean = sum(gains.get(name, 0.0) for name in group) / len(group)
        for _ in group:
            rank += 1
            if depth is None or rank <= depth:
                total += mean / math.log2(rank + 1)
    return total / ideal


def average_precision(ties: Ties, gains: Gains, depth: int | None) -> float:
    """Mean over the relevant documents of the precision where each stands, 0 if it does not."""
    total, rank, found = 0.0, 0, 0
    for group in ties:
        relevant = sum(name in gains for name in group)
        others = max(1, len(group) - 1)
        for place in range(len(group)):
            rank += 1
            if relevant and (depth is None or rank <= depth):
                # With one relevant document here, those of the group before it are as many of
                # the remaining ones as chance gives.
                before = found + 1 + place * (relevant - 1) / others
                total += relevant / len(group) * before / rank
        found += relevant
    return total / len(gains)


def reciprocal_rank(ties: Ties, gains: Gains, depth: int | None) -> float:
    """1 / the place of the first relevant document, 0 where there is none."""
    rank = 0
    for group in ties:
        size, relevant = len(group), sum(name in gains for name in group)
        if relevant:
            ways = math.comb(size, relevant)
            return sum(
                math.comb(size - place, relevant - 1) / ways / (rank + place)
                for place in range(1, size - relevant + 2)
                if depth is None or rank + place <= depth
            )
        rank += size
    return 0.0


def _by_score(scores: Mapping[str, float | None]) -> Ties:
    """Documents with a score, the highest first; those without one last."""
    groups: dict[float, list[str]] = {}
    for name, score in scores.items():
        groups.setdefault(-math.inf if score is None else score, []).append(name)
    return [groups[score] for score in sorted(groups, reverse=True)]


def _with_the_rest(named: Iterable[str], shown: Sequence[str]) -> Ties:
    order = list(dict.fromkeys(named))
    rest = [name for name in shown if name not in order]
    return [[name] for name in order] + ([rest] if rest else [])


def _parts(text: str) -> list[str]:
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        listed = None
    parts = listed if isinstance(listed, list) else _BETWEEN.split(text)
    cleaned = (BULLET.sub("", str(part)).strip(_AROUND) for part in parts)
    return [part for part in cleaned if part]


def _called(word: str, shown: Sequence[str]) -> str | None:
    """The document that a word names: by id, or by letter or number where all are known.

    What leads up to it with a colon ("The order is: B") is left aside where it names none.
    """
    if not shown or word in shown:
        return word
    if (after := _COLON.split(word)[-1].strip(_AROUND)) != word:
        return _called(after, shown)
    letters = string.ascii_uppercase[: len(shown)]
    if len(word) == 1 and word.upper() in letters:
        return shown[letters.index(word.upper())]
    if word.isdecimal() and 1 <= int(word) <= len(shown):
        return shown[int(word) - 1]
    return None


Measure = Callable[[Ties, Gains, int | None], float]


def _row(about: About, measure: Measure, depth: str) -> PerItem:
    """The measure over the first `depth` places, all if it is empty. Raises UsageError."""
    if depth and not (depth.isdecimal() and int(depth)):
        raise UsageError(
            f"'{depth}' is no number of places.",
            where=f"{about.name}:{depth}",
            mend=f"write {about.name}:10",
        )

    def score(item: Item) -> float | Unscored:
        gains, ties = gains_of(item), ordered(item)
        if isinstance(gains, Unscored):
            return gains
        if isinstance(ties, Unscored):
            return ties
        return measure(ties, gains, int(depth) if depth else None)

    return PerItem(about=replace(about, name=f"{about.name}:{depth}"), score=score)


def _family(about: About, measure: Measure, default: str) -> OfArgument:
    return OfArgument(
        about=about,
        argument="number of places",
        make=partial(_row, about, measure),
        default=default,
        example="5",
    )


_NDCG = About(
    name="ndcg",
    family="ranking",
    unit="share",
    higher_is_better=True,
    range=(0.0, 1.0),
    needs=("ranking",),
    source="gain over log2(place + 1), summed, over that of the best order; after Järvelin and "
    "Kekäläinen (2002), who discount by log2(place) from the second on; gains as they are given "
    "(trec_eval, scikit-learn)",
    use="where documents are relevant by degrees, and the first places count most",
    avoid="beside tools that take 2^gain - 1 for the gain: their values differ by degrees",
)
NDCG = _family(_NDCG, ndcg, "10")
MAP = _family(
    replace(
        _NDCG,
        name="map",
        source="mean over queries of the mean precision at each relevant document; Buckley and "
        "Voorhees (2000), with all relevant documents below the line (trec_eval)",
        use="where all relevant documents should be found, early ones counting more",
        avoid="where documents are relevant by degrees: any gain above 0 is the same; use ndcg",
    ),
    average_precision,
    "",
)
MRR = _family(
    replace(
        _NDCG,
        name="mrr",
        source="mean over queries of 1 / the place of the first relevant document; Voorhees (1999)",
        use="where one good document is enough",
        avoid="where several documents are needed: it looks at the first only",
    ),
    reciprocal_rank,
    "",
)
