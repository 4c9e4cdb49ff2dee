"""Items that stand twice in a set, exactly or nearly, and those that contradict one another.

Nearly: what is asked and answered is compared, never the system turn, since all records of a
set often share one. Texts are compared as sets of short overlapping pieces (see `shingles`). The
similarity of two sets is Jaccard's: what they share, divided by all they have. A pair counts as
near when the questions alone reach the threshold (the same long answer to two questions is no
duplicate), and question and answer together reach it as well (one question answered in two ways
is none either). A plain text is compared as a whole; of a preference the prompt is the question,
and what is chosen and what is rejected are two different answers. Desired completions are not
compared with undesired ones.

Candidates are found by MinHash (see `near_pairs`) and then measured, so that no pair is wrong; a
pair at the threshold is missed about once in a thousand times, a more similar one more rarely.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneval.data.example import Example, Item, Message, Preference, Text, UnpairedPreference
from tuneval.data.likeness.near_texts import Keep, NearTexts
from tuneval.data.likeness.shelf import Texts
from tuneval.errors import UsageError

THRESHOLD = 0.8
LOWEST_THRESHOLD = 0.05  # below it a pair would be missed more often


@dataclass(frozen=True, slots=True)
class Pair:
    """Two items that are alike, `first` standing earlier. Similarity from 0 to 1."""

    first: Item
    second: Item
    similarity: float


def exact_duplicates(items: Sequence[Item]) -> list[Pair]:
    """Each item whose content stood earlier already, with the first of them."""
    return [Pair(items[a], items[b], 1.0) for a, b in _repeats(items).copies()]


def conflicting_answers(items: Sequence[Item]) -> list[Pair]:
    """Each item that answers otherwise what was asked earlier already, with the first of them."""
    return [Pair(items[a], items[b], 1.0) for a, b in _repeats(items).conflicts()]


def near_duplicates(
    items: Sequence[Item], threshold: float = THRESHOLD, *, keep: Keep = "all"
) -> list[Pair]:
    """Pairs of different items with at least that similarity, in the order of the later ones.

    `keep="first"` gives each item at most once, with the earliest one that it is found to be
    like: the work is then linear, whatever the set. Of exact duplicates only the first takes part.
    """
    if not LOWEST_THRESHOLD <= threshold <= 1:
        raise UsageError(
            f"A similarity threshold of {threshold} makes no sense.",
            mend=f"at least {LOWEST_THRESHOLD}, at most 1",
        )
    texts = NearTexts()
    for item in items:
        texts.add(compared(item), int(item.id, 16), kind(item))
    found = texts.pairs(threshold, keep)
    rows = zip(found.earlier.tolist(), found.later.tolist(), found.similarity.tolist(), strict=True)
    return [Pair(items[a], items[b], similarity) for a, b, similarity in rows]


def compared(item: Item) -> Texts:
    """The texts of an item that are compared: what is asked, then what is answered."""
    match item:
        case Text():
            return (item.text,)
        case Example():
            return _given(item.messages), _said(item.messages)
        case Preference():
            said = _said(item.prompt)
            return _given(item.prompt), said + _said(item.chosen), _said(item.rejected)
        case _:
            return _given(item.prompt), _said(item.prompt) + _said(item.completion)


def kind(item: Item) -> int:
    """Which items are compared with one another: desired completions never with undesired ones."""
    return int(isinstance(item, UnpairedPreference) and not item.label)


class Repeats:
    """Remembers 32 bytes of each item, enough to tell copies and contradictions."""

    def __init__(self) -> None:
        self._ids = array("Q")
        self._asked = array("Q")
        self._answered = array("Q")
        self._groups = array("Q")

    def add(self, item: Item) -> None:
        """The next item. Items are numbered from 0."""
        self._ids.append(int(item.id, 16))
        asked, answered = _claim(item)
        self._asked.append(_hash(asked))
        self._answered.append(_hash(answered))
        self._groups.append(0 if item.group is None else _hash(item.group))

    def merge(self, later: Repeats) -> None:
        """Put all items of another one behind these."""
        self._ids += later._ids
        self._asked += later._asked
        self._answered += later._answered
        self._groups += later._groups

    def item_id(self, number: int) -> str:
        """An item's id."""
        return f"{self._ids[number]:016x}"

    def share_a_group(self, number: int, other: int) -> bool:
        """Whether two items have the same group, or none both."""
        return self._groups[number] == self._groups[other]

    def copies(self) -> list[tuple[int, int]]:
        """The numbers of the first item and of a later one with the same content, by the later."""
        first = _first_of_equals(self._ids)
        later = np.flatnonzero(first < np.arange(len(first)))
        return list(zip(first[later].tolist(), later.tolist(), strict=True))

    def conflicts(self) -> list[tuple[int, int]]:
        """The same for items that answer otherwise what the first one answers."""
        first = _first_of_equals(self._asked)
        answered = np.frombuffer(self._answered, np.uint64)
        later = np.flatnonzero(answered[first] != answered)
        return list(zip(first[later].tolist(), later.tolist(), strict=True))


def _repeats(items: Iterable[Item]) -> Repeats:
    repeats = Repeats()
    for item in items:
        repeats.add(item)
    return repeats


def _first_of_equals(values: array[int]) -> NDArray[np.int64]:
    """For each value the place of the first one that equals it."""
    _, first, group = np.unique(
        np.frombuffer(values, np.uint64), return_index=True, return_inverse=True
    )
    places: NDArray[np.int64] = first[group]
    return places


def _claim(item: Item) -> tuple[str, str]:
    """What is asked, and what is answered. What asks nothing is a question of its own."""
    match item:
        case Text():
            return f"text {item.text}", ""
        case Example():
            if item.answer is None:
                return f"unanswered {item.id}", ""
            return f"{_exactly(item.prompt)} {item.tools}", _exactly(item.messages[-1:])
        case Preference():
            chosen, rejected = _exactly(item.chosen), _exactly(item.rejected)
            ends = " or ".join(sorted((chosen, rejected)))
            return f"{_exactly(item.prompt)} {item.tools} {ends}", chosen
        case _:
            asked = f"{_exactly(item.prompt)} {item.tools} {_exactly(item.completion)}"
            return asked, str(item.label)


def _exactly(messages: Sequence[Message]) -> str:
    """A text that is equal for equal messages only."""
    parts = [(m.role, m.content, *(c.name + c.arguments for c in m.tool_calls)) for m in messages]
    return " ".join(f"{len(text)} {text}" for part in parts for text in part)


def _hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _given(messages: Sequence[Message]) -> str:
    """The user's turns and what tools answered, one after the other."""
    return "\n".join(m.content for m in messages if m.role in ("user", "tool"))


def _said(messages: Sequence[Message]) -> str:
    """The assistant's turns, its calls of tools included."""
    return "\n".join(
        text
        for m in messages
        if m.role == "assistant"
        for text in (m.content, *(f"{call.name} {call.arguments}" for call in m.tool_calls))
    )
