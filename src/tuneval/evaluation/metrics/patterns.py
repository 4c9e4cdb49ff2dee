"""Whether a pattern stands in an answer: one of Python's `re`, or a piece of personal data.

A name instead of a pattern (`regex_absent:phone_number`) finds what the check of personal data
finds: numbers that can be somebody's, with their check digits, and not those that are reserved
for documentation. A pattern is searched where it can be stopped: an answer on which it takes too
long is unscored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial

from tuneval.data.personal_data.patterns import find
from tuneval.errors import UsageError
from tuneval.evaluation.items import Item
from tuneval.evaluation.kinds import OfArgument, PerItem
from tuneval.evaluation.kinds.per_item import lacks_answer
from tuneval.evaluation.metric import About, Unscored
from tuneval.evaluation.metrics.search import SECONDS, search_all

NAMED = {
    "email": "email",
    "phone_number": "phone",
    "card_number": "card",
    "bank_account": "bank_account",
    "resident_id": "resident_id",
    "social_security_number": "ssn",
    "passport_number": "passport",
    "ip_address": "ip",
}
"""Names that stand for a pattern, and what the check of personal data calls them."""

TOO_SLOW = f"the pattern takes longer than {SECONDS:g} seconds"

ONES_KEPT = 4_096

Found = Callable[[str], bool | None]


def finder(pattern: str) -> Found:
    """Whether a text has the pattern or named piece anywhere; None where that takes too long.

    Raises UsageError for a pattern that is none.
    """
    if pattern in NAMED:
        kind = NAMED[pattern]
        return lambda text: any(piece.kind == kind for piece in find(text))
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(
            f"'{pattern}' is not a pattern: {error}.",
            mend="write a regular expression of Python's, or one of: " + ", ".join(NAMED),
        ) from None
    return partial(_search_one, pattern)


@lru_cache(maxsize=ONES_KEPT)
def _search_one(pattern: str, text: str) -> bool | None:
    return search_all(pattern, [text])[0]


def _present(pattern: str) -> PerItem:
    return _of_pattern(replace(REGEX_PRESENT.about, name=f"regex_present:{pattern}"), pattern, True)


def _absent(pattern: str) -> PerItem:
    return _of_pattern(replace(REGEX_ABSENT.about, name=f"regex_absent:{pattern}"), pattern, False)


def _of_pattern(about: About, pattern: str, wanted: bool) -> PerItem:
    has = finder(pattern)

    def score(item: Item) -> float | Unscored:
        reason = lacks_answer(item)
        return as_grade(has(item.predict or "")) if reason is None else Unscored(reason)

    def grade(items: Sequence[Item]) -> list[Mapping[str, float | Unscored]]:
        """All items together, where no answer can hold up the others."""
        found = iter(search_all(pattern, [x.predict for x in items if x.predict is not None]))
        return [{} if x.predict is None else {about.name: as_grade(next(found))} for x in items]

    def as_grade(has_it: bool | None) -> float | Unscored:
        return Unscored(TOO_SLOW) if has_it is None else float(has_it is wanted)

    return PerItem(
        about=about, score=score, is_binary=True, batch=None if pattern in NAMED else grade
    )


REGEX_PRESENT = OfArgument(
    about=About(
        name="regex_present",
        family="patterns",
        unit="share",
        higher_is_better=True,
        range=(0.0, 1.0),
        needs=("prediction",),
        source="share of answers in which Python's `re.search` finds the pattern, or the check of "
        "personal data the named piece",
        use="where an answer must have a form: a date, an order number, a polite ending",
        avoid="to see whether the answer is right: the form says nothing of the content",
    ),
    argument="pattern",
    make=_present,
    example=r"\d{4}-\d{2}-\d{2}",
)
REGEX_ABSENT = OfArgument(
    about=replace(
        REGEX_PRESENT.about,
        name="regex_absent",
        source="share of answers without the pattern, or without the named piece of personal data",
        use="to see how often answers leak telephone or card numbers, or say a forbidden phrase",
        avoid="as a proof of safety: it finds only what the pattern describes",
    ),
    argument="pattern",
    make=_absent,
    example="phone_number",
)
