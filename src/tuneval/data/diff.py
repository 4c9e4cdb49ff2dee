"""What became of a set from one version to the next: added, removed, changed and moved records.

Both sets are streamed, up to three times. Kept for each record of either are 64 bytes, and 130
while pairing; beside them the records that differ, as many of each kind as `limit` allows.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tuneval import files
from tuneval.data.cutting.kept import Kept, kept_records
from tuneval.data.difference.facts import Change, Difference, Move, Sighting
from tuneval.data.difference.fields import changed_fields
from tuneval.data.difference.near import near_pairs
from tuneval.data.difference.pairs import (
    Hashes,
    How,
    Ints,
    Pairing,
    Pairs,
    in_both,
    moved,
    pair,
)
from tuneval.data.example import Kind, Source
from tuneval.errors import DataError

KEY = "id"
MOST_COMPARED = 2000


def diff(
    old: files.Location,
    new: files.Location,
    *,
    format: str = "auto",
    key: str = KEY,
    limit: int | None = None,
) -> Difference:
    """Compare two versions of a set. Texts, roles, tools, groups and tags count; formats do not.

    `key` names the field of a record, or its tag, that says which one it is, if there is such a
    field. `limit` shortens each list, never a count. DataError when the sets are of different
    kinds.
    """
    before, after = _Side(old, format, key), _Side(new, format, key)
    if before.kind != after.kind:
        raise DataError(
            f"The sets are of different kinds: {old} holds {before.kind} records, {new} holds "
            f"{after.kind} records.",
            mend="compare sets of one kind; `tuneval data convert` can turn one into another",
        )
    pairing = pair(before.hashes, after.hashes)
    near, similarities, n_not_compared = _near(before, after, pairing)
    removed = np.setdiff1d(pairing.old_left, near.old)
    added = np.setdiff1d(pairing.new_left, near.new)
    changed = [*pairing.pairs[2:], near]
    equal = Pairs("equal", *_joined(pairing.pairs[:2]))
    out_of_order = moved(equal)
    listed = _first(changed, limit)
    old_records = before.records([*removed[:limit].tolist(), *(old for _, old, _ in listed)])
    new_records = after.records([*added[:limit].tolist(), *(new for _, _, new in listed)])
    moves = np.column_stack([equal.new, equal.old])[out_of_order].tolist()
    return Difference(
        old=str(old),
        new=str(new),
        kind=before.kind,
        n_old=len(before),
        n_new=len(after),
        n_unchanged=len(equal.old) - int(out_of_order.sum()),
        changed_by={pairs.how: len(pairs.old) for pairs in changed if len(pairs.old)},
        n_moved=int(out_of_order.sum()),
        n_added=len(added),
        n_removed=len(removed),
        n_not_compared=n_not_compared,
        changed=tuple(
            Change(
                old_where=before.where(here),
                new_where=after.where(there),
                how=how,
                similarity=similarities.get(there),
                fields=changed_fields(old_records[here].item, new_records[there].item),
            )
            for how, here, there in listed
        ),
        moved=tuple(
            Move(old_where=before.where(here), new_where=after.where(there))
            for there, here in sorted(moves)[:limit]
        ),
        added=tuple(
            after.sighting(number, new_records[number]) for number in added[:limit].tolist()
        ),
        removed=tuple(
            before.sighting(number, old_records[number]) for number in removed[:limit].tolist()
        ),
    )


class _Side:
    """One of the two sets: hashes and place of each record, and its items when asked for."""

    def __init__(self, location: files.Location, format: str, key: str) -> None:
        self.kind: Kind = "conversation"
        self.hashes = Hashes()
        self._location, self._format = location, format
        self._lines, self._files = array("Q"), array("L")
        self._file_numbers: dict[tuple[str, Any], int] = {}
        for record in kept_records(location, format):
            self.kind = record.kind
            self.hashes.add(record.item, _key(record, key))
            source = record.item.source
            number = self._file_numbers.setdefault(
                (source.file, source.unit), len(self._file_numbers)
            )
            self._lines.append(source.line)
            self._files.append(number)
        self._sources = list(self._file_numbers)

    def __len__(self) -> int:
        return len(self._lines)

    def where(self, number: int) -> str:
        """The place of a record."""
        file, unit = self._sources[self._files[number]]
        return str(Source(file, self._lines[number], unit))

    def sighting(self, number: int, record: Kept) -> Sighting:
        """A record and its place."""
        value = record.record.value or {}
        return Sighting(where=self.where(number), item=record.item, value=value)

    def records(self, numbers: Iterable[int]) -> dict[int, Kept]:
        """These records, from another reading of the set."""
        wanted = set(numbers)
        found: dict[int, Kept] = {}
        if not wanted:
            return found
        for number, record in enumerate(kept_records(self._location, self._format)):
            if number in wanted:
                found[number] = record
                if len(found) == len(wanted):
                    return found
        raise DataError(
            "The set changed while it was read.",
            where=str(self._location),
            mend="compare it when nobody writes to it",
        )


def _near(before: _Side, after: _Side, pairing: Pairing) -> tuple[Pairs, dict[int, float], int]:
    """Near pairs among what is left, their similarities by new number, and how many went unseen."""
    here, there = in_both(
        before.hashes["group"][pairing.old_left], after.hashes["group"][pairing.new_left]
    )
    old_numbers = pairing.old_left[here].tolist()
    new_numbers = pairing.new_left[there].tolist()
    n_left = len(old_numbers) + len(new_numbers)
    if not (old_numbers and new_numbers) or max(len(old_numbers), len(new_numbers)) > MOST_COMPARED:
        nothing = np.zeros(0, dtype=np.int64)
        return Pairs("near", nothing, nothing), {}, n_left if old_numbers and new_numbers else 0
    old_records, new_records = before.records(old_numbers), after.records(new_numbers)
    found = near_pairs(
        [old_records[n].item for n in old_numbers], [new_records[n].item for n in new_numbers]
    )
    pairs = Pairs(
        "near",
        np.array([old_numbers[h] for h, _, _ in found], dtype=np.int64),
        np.array([new_numbers[t] for _, t, _ in found], dtype=np.int64),
    )
    return pairs, {new_numbers[t]: similarity for _, t, similarity in found}, 0


def _joined(parts: Sequence[Pairs]) -> tuple[Ints, Ints]:
    old, new = [pairs.old for pairs in parts], [pairs.new for pairs in parts]
    return np.concatenate(old), np.concatenate(new)


def _first(changed: Sequence[Pairs], limit: int | None) -> list[tuple[How, int, int]]:
    """How, old and new number of the first pairs in the order of the new set."""
    old, new = _joined(changed)
    hows = np.repeat(np.arange(len(changed)), [len(pairs.old) for pairs in changed])
    chosen = np.argsort(new)[:limit]
    columns = (hows[chosen].tolist(), old[chosen].tolist(), new[chosen].tolist())
    return [(changed[n].how, here, there) for n, here, there in zip(*columns, strict=True)]


def _key(record: Kept, name: str) -> Any:
    """The value of the record's key field or tag; None where there is none, or it is no name."""
    value = (record.record.value or {}).get(name, record.item.tags.get(name))
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None
