"""Part a set into files: the records stay as they are, each in the order of the set.

The set is streamed, twice when the shares are to be exact. Kept in memory for each record are
17 bytes, 27 when the shares are exact, and at most 60 while the account is made.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneval import files
from tuneval.data.cutting.division import Division
from tuneval.data.cutting.drawing import Strata, Units, key_hash, position_of
from tuneval.data.cutting.facet import Facet
from tuneval.data.cutting.kept import Kept, kept_records
from tuneval.data.cutting.kept_files import kept_files
from tuneval.data.fingerprint import RunningHash
from tuneval.data.split import split_key
from tuneval.errors import DataError

MOST_LISTED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part as written. `keys` counts groups, and records that have none; shares are of all."""

    file: str
    asked: float
    share: float
    examples: int
    keys: int
    data_hash: str

    def as_dict(self) -> dict[str, Any]:
        """For `split.json`."""
        names = ("file", "examples", "keys", "asked", "share", "data_hash")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitAccount:
    """What a split did.

    `strata` gives the examples of each stratum in each part. `on_both_sides` are ids of items
    that stand in more than one part (copies in different groups), at most MOST_LISTED of them.
    """

    source: str
    division: Division
    parts: Mapping[str, Part]
    on_both_sides: tuple[str, ...]
    n_on_both_sides: int
    strata: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    n_groups_of_several_strata: int = 0

    @property
    def missing(self) -> list[tuple[str, str]]:
        """Stratum and part, wherever a part has nothing of a stratum."""
        return [
            (stratum, name)
            for stratum, counts in self.strata.items()
            for name, count in counts.items()
            if not count
        ]

    def as_dict(self) -> dict[str, Any]:
        """What `split.json` holds: each part under its own name, then the rest."""
        division = self.division
        content: dict[str, Any] = {name: part.as_dict() for name, part in self.parts.items()}
        content |= {"source": self.source, "by": division.by, "seed": division.seed}
        if "held_out" in self.parts:
            held_out = self.parts["held_out"]
            content |= {"share": held_out.share, "asked": held_out.asked}
        content["exact"] = division.exact
        if division.stratify is not None:
            content |= {
                "stratify": division.stratify,
                "strata": {stratum: dict(counts) for stratum, counts in self.strata.items()},
                "n_groups_of_several_strata": self.n_groups_of_several_strata,
            }
        return content | {
            "n_on_both_sides": self.n_on_both_sides,
            "on_both_sides": list(self.on_both_sides),
        }


def split_file(
    path: files.Location,
    folder: files.Location,
    division: Division | None = None,
    *,
    format: str = "auto",
    to: str | None = None,
) -> SplitAccount:
    """Write each part into a folder as NAME.jsonl, then split.json; all of it or nothing.

    Records keep their format, or are written in the format `to`. DataError when a part would be
    empty; UsageError when a part would overwrite the set itself.
    """
    division = division or Division()
    targets = {name: _inside(folder, f"{name}.jsonl") for name in division.names}
    writing = _Writing(division, targets)

    def kept() -> Iterator[Kept]:
        return kept_records(path, format, targets=targets.values())

    sides = _exact_sides(kept(), division) if division.exact else None
    with kept_files(targets.values(), to) as write:
        for number, record in enumerate(kept()):
            side = writing.side(record, sides, number)
            write[side](record)
        _refuse_change(path, sides, writing.n_records)
        account = writing.account(str(path))
        for name, part in account.parts.items():
            if not part.examples:
                raise DataError(
                    f"The split leaves no {name.replace('_', '-')} example.",
                    where=str(path),
                    mend="give more examples or groups, or another share or seed",
                )
    files.write_json(_inside(folder, "split.json"), account.as_dict())
    return account


def _inside(folder: files.Location, name: str) -> str:
    return f"{str(folder).rstrip('/')}/{name}" if files.is_url(folder) else str(Path(folder, name))


def _exact_sides(records: Iterator[Kept], division: Division) -> NDArray[np.uint8]:
    """Each record's part by its number, from a first reading of the set."""
    units, strata = Units(), Strata(division.stratify or "")
    facet = Facet(division.stratify) if division.stratify else None
    for record in records:
        stratum = strata.number(facet.of(record.item)) if facet else 0
        units.add(key_hash(split_key(record.item, division.by), division.seed), stratum)
    backward = units.in_fair_order().parted(division.backward_shares)
    return (len(division.parts) - 1 - backward).astype(np.uint8)


def _refuse_change(path: files.Location, sides: NDArray[np.uint8] | None, n_records: int) -> None:
    if sides is not None and len(sides) != n_records:
        raise DataError(
            "The set changed while it was read.",
            where=str(path),
            mend="split it when nobody writes to it",
        )


class _Writing:
    """Says where each record goes, and keeps the account."""

    def __init__(self, division: Division, targets: Mapping[str, str]) -> None:
        self._division = division
        self._targets = targets
        self._facet = Facet(division.stratify) if division.stratify else None
        self._strata = Strata(division.stratify or "")
        self._counts: Counter[tuple[int, int]] = Counter()
        self._hashes = [RunningHash() for _ in targets]
        self._keys, self._ids, self._sides = array("Q"), array("Q"), array("B")
        self._stratum_of_record = array("H")

    @property
    def n_records(self) -> int:
        """Records seen so far."""
        return len(self._sides)

    def side(self, record: Kept, sides: NDArray[np.uint8] | None, number: int) -> int:
        """The number of the record's part."""
        key = key_hash(split_key(record.item, self._division.by), self._division.seed)
        if sides is None:
            side = self._division.part_at(position_of(key))
        else:  # a set that has grown meanwhile is refused at its end
            side = int(sides[number]) if number < len(sides) else 0
        self._keys.append(key)
        self._ids.append(int(record.item.id, 16))
        self._sides.append(side)
        self._hashes[side].add(record.item)
        if self._facet:
            stratum = self._strata.number(self._facet.of(record.item))
            self._counts[stratum, side] += 1
            self._stratum_of_record.append(stratum)
        return side

    def account(self, source: str) -> SplitAccount:
        """The account of all records."""
        if self._facet:
            self._facet.refuse_if_absent()
        sides = np.frombuffer(self._sides, np.uint8)
        keys = np.frombuffer(self._keys, np.uint64)
        shared = _on_several(np.frombuffer(self._ids, np.uint64), sides)
        return SplitAccount(
            source=source,
            division=self._division,
            parts={
                name: Part(
                    file=self._targets[name],
                    asked=asked,
                    share=float((sides == number).mean()),
                    examples=int((sides == number).sum()),
                    keys=len(np.unique(keys[sides == number])),
                    data_hash=self._hashes[number].hexdigest(),
                )
                for number, (name, asked) in enumerate(self._division.parts.items())
            },
            on_both_sides=tuple(f"{id:016x}" for id in shared[:MOST_LISTED].tolist()),
            n_on_both_sides=len(shared),
            strata={
                stratum: {
                    name: self._counts[number, side]
                    for side, name in enumerate(self._division.names)
                }
                for number, stratum in enumerate(self._strata.values)
            },
            n_groups_of_several_strata=len(
                _on_several(keys, np.frombuffer(self._stratum_of_record, np.uint16))
                if self._facet
                else ()
            ),
        )


def _on_several(
    values: NDArray[np.uint64], places: NDArray[np.uint8] | NDArray[np.uint16]
) -> NDArray[np.uint64]:
    """The values, in order, that occur at more than one place."""
    order = np.lexsort((places, values))
    values, places = values[order], places[order]
    differs = (values[1:] == values[:-1]) & (places[1:] != places[:-1])
    return np.unique(values[1:][differs])
