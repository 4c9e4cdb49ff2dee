"""Sets joined into one, each with its weight, in a seeded order that is the same everywhere.

Every set is read once to count it and to draw from it, then as often as its records are taken.
Kept for each record are 18 bytes, and 105 while drawing; the records stream by.
"""

from __future__ import annotations

import heapq
import random
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneval import files
from tuneval.data.cutting.drawing import Units, key_hash
from tuneval.data.cutting.kept import Kept, kept_records
from tuneval.data.cutting.kept_files import kept_files
from tuneval.data.cutting.mixture import Ingredient, Mixture
from tuneval.data.example import Kind
from tuneval.data.fingerprint import RunningHash
from tuneval.data.formats import FORMATS
from tuneval.errors import DataError

MOST_LISTED = 1000
TAG = "mix"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one set gave. `data_hash` is that of the whole set, its items in their order."""

    name: str
    location: str
    weight: float
    n_records: int
    n_taken: int
    data_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """What was mixed. `format` is that of the records written.

    `in_several` are ids of items that stand in more than one of the sets, at most MOST_LISTED of
    them; `n_repeated` counts the records written that are copies of an earlier one.
    """

    file: str
    format: str
    strategy: str
    seed: int
    total: int | None
    shares: tuple[Share, ...]
    data_hash: str
    n_repeated: int
    n_in_several: int
    in_several: tuple[str, ...]

    @property
    def n_records(self) -> int:
        """Records written."""
        return sum(share.n_taken for share in self.shares)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self) | {"n_records": self.n_records}


def mix(
    mixture: Mixture,
    target: files.Location,
    *,
    tag: str | None = TAG,
    format: str = "auto",
    to: str | None = None,
) -> Mix:
    """Write the mixture into a file of any container, whole or not at all.

    `tag` names the tag that says of each record which set it comes from (None: no tag). Records
    keep their format when all sets have the same, else they are written as messages, or the like
    for their kind; `to` names another one. UsageError when a set would be overwritten; DataError
    when the sets are of different kinds or a record has a tag of that name already.
    """
    sources = [_Source(ingredient, format, mixture.seed) for ingredient in mixture.ingredients]
    for source in sources:
        source.count(target)
    written_as = to or _common_format(sources)
    running, counts = RunningHash(), Counter[int]()
    ids = array("Q")
    with kept_files([target], written_as) as (write,):
        for number, record in _ordered(mixture, sources):
            name = sources[number].ingredient.name
            write(record if tag is None else record.tagged(tag, name))
            running.add(record.item)
            ids.append(int(record.item.id, 16))
            counts[number] += 1
        if not ids:
            raise DataError("The mixture holds no record.", mend="give larger weights or --total")
    several = _in_several(sources)
    return Mix(
        file=str(target),
        format=written_as,
        strategy=mixture.strategy,
        seed=mixture.seed,
        total=mixture.total,
        shares=tuple(source.share(counts[number]) for number, source in enumerate(sources)),
        data_hash=running.hexdigest(),
        n_repeated=len(ids) - len(np.unique(np.frombuffer(ids, np.uint64))),
        n_in_several=len(several),
        in_several=tuple(f"{id:016x}" for id in several[:MOST_LISTED].tolist()),
    )


class _Source:
    """One of the sets: its size and ids once it is counted, and its records as often as asked."""

    def __init__(self, ingredient: Ingredient, format: str, seed: int) -> None:
        self.ingredient = ingredient
        self.kind: Kind | None = None
        self.format = ""
        self.ids = array("Q")
        self._asked_format = format
        self._seed = seed
        self._units = Units()
        self._hash = RunningHash()

    def __len__(self) -> int:
        return len(self.ids)

    def count(self, target: files.Location) -> None:
        """Read the set once. UsageError when the target belongs to it."""
        for record in kept_records(self.ingredient.location, self._asked_format, targets=[target]):
            self.format = record.format
            self.kind = record.kind
            key = f"mix {self.ingredient.name} record {len(self.ids)}"
            self._units.add(key_hash(key, self._seed))
            self.ids.append(int(record.item.id, 16))
            self._hash.add(record.item)

    def taken(self, n: int) -> Iterator[Kept]:
        """So many records: all of them as often as that goes, then some drawn by the seed."""
        times, rest = divmod(n, len(self))
        for _ in range(times):
            yield from self._once(None)
        if rest:
            yield from self._once(self._units.in_fair_order().first(rest))

    def anew(self) -> Iterator[Kept]:
        """All records, once."""
        return self._once(None)

    def share(self, n_taken: int) -> Share:
        """The set's part of the account."""
        return Share(
            name=self.ingredient.name,
            location=self.ingredient.location,
            weight=self.ingredient.weight,
            n_records=len(self),
            n_taken=n_taken,
            data_hash=self._hash.hexdigest(),
        )

    def _once(self, chosen: NDArray[np.bool_] | None) -> Iterator[Kept]:
        n_seen = 0
        for record in kept_records(self.ingredient.location, self._asked_format):
            if n_seen < len(self) and (chosen is None or chosen[n_seen]):
                yield record
            n_seen += 1
        if n_seen != len(self):
            raise DataError(
                "The set changed while it was read.",
                where=self.ingredient.location,
                mend="mix it when nobody writes to it",
            )


def _ordered(mixture: Mixture, sources: Sequence[_Source]) -> Iterator[tuple[int, Kept]]:
    """The number of a set and its next record, in the order of the mixture."""
    if mixture.strategy.startswith("interleave"):
        yield from _interleaved(mixture, sources)
        return
    takes = mixture.takes([len(source) for source in sources])
    if mixture.strategy == "concat":
        for number, (source, n) in enumerate(zip(sources, takes, strict=True)):
            for record in source.taken(n):
                yield number, record
        return
    placed = [
        _placed(number, source.taken(n), n)
        for number, (source, n) in enumerate(zip(sources, takes, strict=True))
    ]
    for _, number, record in heapq.merge(*placed, key=lambda entry: entry[:2]):
        yield number, record


def _placed(number: int, records: Iterator[Kept], n: int) -> Iterator[tuple[float, int, Kept]]:
    """The n records with their places, evenly spaced between 0 and 1."""
    for step, record in enumerate(records):
        yield (step + 0.5) / n, number, record


def _interleaved(mixture: Mixture, sources: Sequence[_Source]) -> Iterator[tuple[int, Kept]]:
    chance = random.Random(mixture.seed)
    numbers = range(len(sources))
    bounds = list(accumulate(ingredient.weight for ingredient in mixture.ingredients))
    streams = [source.anew() for source in sources]
    fresh = set(numbers)
    left = [len(source) for source in sources]
    while fresh:
        drawn = chance.random() * bounds[-1]
        number = next((n for n in numbers if drawn < bounds[n]), numbers[-1])
        yield number, next(streams[number])
        left[number] -= 1
        if left[number] == 0:
            if mixture.strategy == "interleave_under":
                return
            fresh.discard(number)
            streams[number], left[number] = sources[number].anew(), len(sources[number])


def _common_format(sources: Sequence[_Source]) -> str:
    """The one that all sets have, else the first of the catalog that holds their kind."""
    first = sources[0]
    for other in sources[1:]:
        if other.kind != first.kind:
            raise DataError(
                f"Sets of different kinds cannot be mixed: {first.ingredient.location} holds "
                f"{_plural(first.kind)}, {other.ingredient.location} holds {_plural(other.kind)}.",
                mend="mix sets of one kind; `tuneval data convert` can turn one into another",
            )
    formats = {source.format for source in sources}
    if len(formats) == 1:
        return formats.pop()
    return next(name for name in FORMATS if FORMATS.load(name).kind == first.kind)


def _plural(kind: Kind | None) -> str:
    return f"{kind or 'item'}s".replace("_", " ")


def _in_several(sources: Sequence[_Source]) -> NDArray[np.uint64]:
    """Ids, in order, that stand in more than one set."""
    ids = [np.unique(np.frombuffer(source.ids, np.uint64)) for source in sources]
    values, counts = np.unique(np.concatenate(ids), return_counts=True)
    return values[counts > 1]
