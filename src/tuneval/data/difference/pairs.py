"""Which record of an old set is which of a new one.

Records pair by what is most certain first: all is equal, the same key, the same content under
another group or tags, the same prompt, the same question under another system turn. Of several
that are equal in this the first pairs with the first. What is left may be near: see `near`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tuneval.data.example import Item, Message, Text
from tuneval.data.hashed import hashed

Ints = NDArray[np.int64]
Hashed = NDArray[np.uint64]
How = Literal["equal", "key", "content", "prompt", "question", "near"]
_COLUMNS = ("same", "key", "content", "prompt", "question", "group")
_MIXER = np.uint64(0x9E3779B97F4A7C15)


class Hashes:
    """Six 64-bit hashes of each record of a set, as it streams by. 0 stands for nothing."""

    def __init__(self) -> None:
        self._columns = {name: array("Q") for name in _COLUMNS}

    def __len__(self) -> int:
        return len(self._columns["same"])

    def __getitem__(self, name: str) -> Hashed:
        return np.frombuffer(self._columns[name], np.uint64)

    def add(self, item: Item, key: Any) -> None:
        """The next record. `key` is what names it beside its content, or None."""
        values = {
            "same": [item.id, item.group, dict(item.tags)],
            "key": key,
            "prompt": [(turn.role, turn.content) for turn in _prompt(item)] or None,
            "question": [turn.content for turn in _prompt(item) if turn.role != "system"] or None,
            "group": item.group,
        }
        for name, value in values.items():
            self._columns[name].append(hashed(value))
        self._columns["content"].append(int(item.id, 16))


@dataclass(frozen=True, slots=True)
class Pairs:
    """Numbers of old records, and those of the new ones they pair with."""

    how: How
    old: Ints
    new: Ints


@dataclass(frozen=True, slots=True)
class Pairing:
    """The pairs by how they were found, and the numbers of the records that are in none."""

    pairs: tuple[Pairs, ...]
    old_left: Ints
    new_left: Ints


def pair(old: Hashes, new: Hashes) -> Pairing:
    """The pairs that hashes show."""
    old_left, new_left = np.arange(len(old)), np.arange(len(new))
    steps: list[tuple[How, Hashed, Hashed]] = [("equal", _keyed(old), _keyed(new))]
    steps += [("equal", old["same"], new["same"])]
    rest: tuple[How, ...] = ("key", "content", "prompt", "question")
    steps += [(how, old[how], new[how]) for how in rest]
    found = []
    for how, old_hashes, new_hashes in steps:
        in_old, in_new = _matches(old_hashes[old_left], new_hashes[new_left])
        found.append(Pairs(how, old_left[in_old], new_left[in_new]))
        old_left, new_left = np.delete(old_left, in_old), np.delete(new_left, in_new)
    return Pairing(tuple(found), old_left, new_left)


def in_both(old: Hashed, new: Hashed) -> tuple[Ints, Ints]:
    """The places of either whose group hash the other has as well."""
    return np.flatnonzero(np.isin(old, new)), np.flatnonzero(np.isin(new, old))


def moved(pairs: Pairs) -> NDArray[np.bool_]:
    """Which of the pairs are out of order: as few as possible, the others keep theirs."""
    order = np.argsort(pairs.old, kind="stable")
    places = pairs.new[order].tolist()
    ends: list[int] = []  # the least last place of an ordered run of each length
    end_of: list[int] = []  # which pair that is
    before = np.full(len(places), -1)
    for number, place in enumerate(places):
        length = bisect_left(ends, place)
        if length:
            before[number] = end_of[length - 1]
        ends[length : length + 1] = [place]
        end_of[length : length + 1] = [number]
    is_moved = np.ones(len(places), dtype=np.bool_)
    number = end_of[-1] if end_of else -1
    while number >= 0:
        is_moved[order[number]] = False
        number = int(before[number])
    return is_moved


def _keyed(hashes: Hashes) -> Hashed:
    return hashes["same"] ^ hashes["key"] * _MIXER


def _matches(old: Hashed, new: Hashed) -> tuple[Ints, Ints]:
    """Places of equal hashes: the first of several with the first, the second with the second."""
    codes: Ints = np.unique(np.concatenate([old, new]), return_inverse=True)[1]
    _, in_old, in_new = np.intersect1d(
        _numbered(codes[: len(old)], len(codes)),
        _numbered(codes[len(old) :], len(codes)),
        assume_unique=True,
        return_indices=True,
    )
    there = old[in_old] != 0
    return in_old[there], in_new[there]


def _numbered(codes: Ints, factor: int) -> Ints:
    """Codes made different by how often each has stood before."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.searchsorted(ordered, ordered, side="left")
    numbered = np.empty_like(codes)
    numbered[order] = ordered * factor + (np.arange(len(codes)) - starts)
    return numbered


def _prompt(item: Item) -> tuple[Message, ...]:
    return () if isinstance(item, Text) else item.prompt
