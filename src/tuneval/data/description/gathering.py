"""What is gathered about a set while its items stream by: one small collector for each matter."""

from __future__ import annotations

import heapq
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from tuneval.data.cutting.facet import label, label_fields
from tuneval.data.description.facts import Groups, RoleSummary, Sight
from tuneval.data.description.languages import LANGUAGES, language
from tuneval.data.description.lengths import Lengths
from tuneval.data.description.value_counts import Tally, ValueCounts
from tuneval.data.example import ROLES, Example, Item, Text, canonical_json
from tuneval.data.hashed import hashed
from tuneval.data.said import Saying, one_line

N_ENDS = 3
_SAYS = 240
_LONGEST_LABEL = 80
_MOST_NAMES = 200
_MOST_LONG_ANSWERS = 0.1
_LEAST_REPETITION = 4
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


class Identities:
    """Ids, prompts and groups in 24 bytes a record: what stands twice, how large groups are."""

    def __init__(self) -> None:
        self._ids, self._prompts, self._groups = array("Q"), array("Q"), array("Q")

    def add(self, item: Item) -> None:
        """The next item."""
        self._ids.append(int(item.id, 16))
        prompt = None if isinstance(item, Text) else [(m.role, m.content) for m in item.prompt]
        answered = not isinstance(item, Example) or item.answer is not None
        self._prompts.append(hashed(prompt if prompt and answered else None))
        self._groups.append(hashed(item.group))

    @property
    def n_repeats(self) -> int:
        """Copies of an earlier item."""
        return len(self._ids) - len(np.unique(np.frombuffer(self._ids, np.uint64)))

    @property
    def n_reasked(self) -> int:
        """Different items that have the prompt of an earlier one."""
        prompts, ids = (np.frombuffer(column, np.uint64) for column in (self._prompts, self._ids))
        _, first = np.unique(ids, return_index=True)
        asked = prompts[first]
        asked = asked[asked != 0]
        return len(asked) - len(np.unique(asked))

    @property
    def groups(self) -> Groups:
        """The groups' number and size."""
        groups = np.frombuffer(self._groups, np.uint64)
        _, sizes = np.unique(groups[groups != 0], return_counts=True)
        n_ungrouped = int((groups == 0).sum())
        return Groups(n=len(sizes), n_ungrouped=n_ungrouped, largest=int(sizes.max(initial=0)))


class Roles:
    """The turns of each role."""

    def __init__(self) -> None:
        self._lengths: defaultdict[str, Lengths] = defaultdict(Lengths)
        self._records: Counter[str] = Counter()

    def add(self, turns: list[tuple[str, int]]) -> None:
        """A record's turns, as role and length."""
        for role, length in turns:
            self._lengths[role].add(length)
        self._records.update({role for role, _ in turns})

    def summaries(self) -> Iterator[RoleSummary]:
        """In the usual order."""
        for role in (*ROLES, "text"):
            if role not in self._lengths:
                continue
            lengths = self._lengths[role]
            spread = lengths.spread()
            assert spread is not None
            yield RoleSummary(
                role=role, n_turns=len(lengths), n_records=self._records[role], lengths=spread
            )


class Languages:
    """The language of each side of a record, its turns taken together."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, said: list[Saying]) -> str:
        """A record's turns; system turns do not count. Gives the response's or text's language."""
        sides: dict[str, list[str]] = {}
        for saying in said:
            if saying.role != "system":
                sides.setdefault(saying.side, []).append(saying.text)
        found = "none"
        for side, texts in sides.items():
            found = language("\n".join(texts))
            self._counts[side][found] += 1
        return found

    def counts(self) -> dict[str, dict[str, int]]:
        """Records by side and language, the languages in a fixed order."""
        return {side: in_order(counts) for side, counts in self._counts.items()}


class Values:
    """Labels and tags: what is short and comes again and again."""

    def __init__(self) -> None:
        self._labels = Tally()
        self._fields: defaultdict[str, Tally] = defaultdict(Tally)
        self._tags: defaultdict[str, Tally] = defaultdict(Tally)
        self._n = self._n_answers = self._n_long = self._n_objects = 0

    def add(self, item: Item) -> None:
        """The next item."""
        self._n += 1
        answer = label(item)
        if answer is not None:
            self._n_answers += 1
            self._n_long += len(answer) > _LONGEST_LABEL
            self._labels.add(answer[: _LONGEST_LABEL + 1])
        if (fields := label_fields(item)) is not None:
            self._n_objects += 1
            _count(self._fields, fields)
        _count(self._tags, item.tags)

    def labels(self) -> tuple[ValueCounts, ...]:
        """The fields of answers that are JSON objects, else the answers if they are labels."""
        if self._n_objects > self._n_answers / 2:
            counts = [tally.as_counts(f"label.{name}") for name, tally in self._fields.items()]
            return tuple(c for c in counts if _comes_again(c))
        counts = [self._labels.as_counts("label")]
        few_long = self._n_long <= _MOST_LONG_ANSWERS * self._n_answers
        return tuple(c for c in counts if few_long and _comes_again(c))

    def tags(self) -> tuple[ValueCounts, ...]:
        """Every tag, in the order of appearance."""
        return tuple(tally.as_counts(name) for name, tally in self._tags.items())


class Ends:
    """The shortest and the longest records; of equally long ones the first."""

    def __init__(self) -> None:
        self._shortest: list[tuple[int, int, Sight]] = []
        self._longest: list[tuple[int, int, Sight]] = []
        self._n = 0

    def add(self, item: Item, length: int) -> None:
        """The next record and its length."""
        self._n -= 1
        for ends, rank in ((self._shortest, -length), (self._longest, length)):
            if len(ends) < N_ENDS:
                heapq.heappush(ends, (rank, self._n, _sight(item, length)))
            elif (rank, self._n) > ends[0][:2]:
                heapq.heapreplace(ends, (rank, self._n, _sight(item, length)))

    def shortest(self) -> tuple[Sight, ...]:
        """From the shortest up."""
        return tuple(sight for *_, sight in sorted(self._shortest, reverse=True))

    def longest(self) -> tuple[Sight, ...]:
        """From the longest down."""
        return tuple(sight for *_, sight in sorted(self._longest, reverse=True))


def n_words(text: str) -> int:
    """Runs between white space; a Chinese or Japanese character is a word by itself."""
    return len((text if text.isascii() else _CJK.sub(" x ", text)).split())


def in_order(counts: Mapping[str, int]) -> dict[str, int]:
    """Languages in the order of LANGUAGES, those that occur."""
    return {name: counts[name] for name in LANGUAGES if counts.get(name)}


def _count(tallies: defaultdict[str, Tally], values: Mapping[str, object]) -> None:
    for name, value in values.items():
        if name not in tallies and len(tallies) >= _MOST_NAMES:
            continue
        tally = tallies[name]
        for each in value if isinstance(value, list) else [value]:
            tally.add(_clipped(each if isinstance(each, str) else canonical_json(each)))


def _comes_again(counts: ValueCounts) -> bool:
    """Whether it is a label: its values repeat, each some times on average."""
    n_different = counts.n_different
    return n_different is not None and 0 < n_different * _LEAST_REPETITION <= counts.n


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def _sight(item: Item, length: int) -> Sight:
    return Sight(where=str(item.source), id=item.id, length=length, says=one_line(item, _SAYS))
