"""A set in numbers: how much there is, how long, in which languages, with which labels.

The set is streamed once. Kept for each record are 24 bytes, and 110 while copies are counted at
the end; beside them only counters, whose size does not grow with the set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tuneval import files
from tuneval.data.description.facts import (
    Description,
    LengthUnit,
    Unusable,
)
from tuneval.data.description.gathering import (
    Ends,
    Identities,
    Languages,
    Roles,
    Values,
    n_words,
)
from tuneval.data.description.lengths import Lengths
from tuneval.data.description.totals import Parts, TokenCount, TokenCounter, TokenTotals
from tuneval.data.description.value_counts import Tally
from tuneval.data.draft import Draft
from tuneval.data.example import Item, Text
from tuneval.data.finding import Finding, has_error
from tuneval.data.read import drafts
from tuneval.data.rules.roles import Roles as KnownRoles
from tuneval.data.said import Saying, sayings
from tuneval.errors import DataError

__all__ = ["TokenCount", "TokenCounter", "describe"]

_REASONS = 3
_EVERY = 1000


def describe(
    location: files.Location,
    format: str = "auto",
    *,
    counter: TokenCounter | None = None,
    by: str | None = None,
    seen: Callable[[int], object] = lambda n_records: None,
) -> Description:
    """Describe a set. Records that cannot be read are counted and left out.

    Lengths are in characters, or in tokens when a `counter` is given. `by` names a facet (see
    `Facet`) by whose values the set is described once more. `seen` is told now and then how many
    records have been read. DataError when no record can be read.
    """
    drafted = drafts(location, format)
    known = KnownRoles()
    gathered = _Gathered(counter, by)
    n_unusable, reasons = 0, list[str]()
    for number, draft in enumerate(drafted.items):
        if number % _EVERY == 0:
            seen(number)
        own = [draft] if isinstance(draft, Finding) else [*draft.findings, *known.see(draft)]
        if has_error(own) or (isinstance(draft, Draft) and draft.item is None):
            n_unusable += isinstance(draft, Draft)
            reasons += [f"{f.where}  {f.what}" for f in own if f.severity == "error"][:1]
            del reasons[_REASONS:]
        elif isinstance(draft, Draft) and draft.item is not None:
            gathered.add(draft.item, draft.kind)
    if gathered.n == 0:
        raise DataError(
            "No record can be read.",
            where=reasons[0] if reasons else str(location),
            mend="`tuneval data check` says what is wrong",
        )
    format_found = drafted.detection.format
    return gathered.description(
        str(location),
        format_found.name if format_found else "",
        drafted.detection.reason,
        Unusable(n=n_unusable, reasons=tuple(reasons)),
    )


class _Gathered:
    """All collectors, and what becomes of them."""

    def __init__(self, counter: TokenCounter | None, by: str | None) -> None:
        self.n = 0
        self._counter = counter
        self._unit: LengthUnit = "tokens" if counter else "characters"
        self._kinds: Counter[str] = Counter()
        self._lengths, self._characters, self._words = Lengths(), Lengths(), Lengths()
        self._turns = Lengths()
        self._token_totals = TokenTotals()
        self._roles, self._languages, self._values = Roles(), Languages(), Values()
        self._identities, self._ends, self._files = Identities(), Ends(), Tally()
        self._n_with_tools = self._n_tool_calls = 0
        self._parts = Parts(by) if by else None

    def add(self, item: Item, kind: str) -> None:
        """The next item."""
        said = list(sayings(item))
        self.n += 1
        self._kinds[kind] += 1
        characters = sum(len(saying.whole) for saying in said)
        self._characters.add(characters)
        self._words.add(sum(n_words(saying.whole) for saying in said))
        length: int | None = characters
        if self._counter:
            length = self._token_totals.add(item, self._counter)
        if length is not None:
            self._lengths.add(length)
            self._ends.add(item, length)
        n_turns = sum(saying.role != "system" for saying in said)
        self._turns.add(n_turns)
        self._roles.add([(saying.role, self._length(saying)) for saying in said])
        spoken = self._languages.add(said)
        self._values.add(item)
        self._identities.add(item)
        self._files.add(item.source.file)
        self._n_with_tools += not isinstance(item, Text) and bool(item.tools)
        self._n_tool_calls += sum(saying.n_calls for saying in said)
        if self._parts:
            self._parts.add(item, length, n_turns, spoken)

    def description(
        self, location: str, format: str, format_reason: str, unusable: Unusable
    ) -> Description:
        """Everything, once the set has been read."""
        return Description(
            location=location,
            format=format,
            format_reason=format_reason,
            n_records=self.n,
            unusable=unusable,
            kinds=dict(self._kinds),
            unit=self._unit,
            lengths=self._lengths.spread(),
            characters=self._characters.spread(),
            words=self._words.spread(),
            tokens=self._token_totals.tokens(self._counter) if self._counter else None,
            turns=self._turns.spread(),
            roles=tuple(self._roles.summaries()),
            n_with_tools=self._n_with_tools,
            n_tool_calls=self._n_tool_calls,
            languages=self._languages.counts(),
            files=self._files.as_counts("file"),
            groups=self._identities.groups,
            n_repeats=self._identities.n_repeats,
            n_reasked=self._identities.n_reasked,
            labels=self._values.labels(),
            tags=self._values.tags(),
            shortest=self._ends.shortest(),
            longest=self._ends.longest(),
            by=self._parts.name if self._parts else None,
            parts=self._parts.summaries(self.n) if self._parts else (),
        )

    def _length(self, saying: Saying) -> int:
        return self._counter.text(saying.whole) if self._counter else len(saying.whole)
