"""The set that a selection chooses from, as it is now: which of its records have scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tuneval import files
from tuneval.data.cutting.kept import Kept, kept_records
from tuneval.data.example import Item
from tuneval.data.fingerprint import RunningHash
from tuneval.errors import DataError, UsageError
from tuneval.scoring.scores import Scores


@dataclass(frozen=True)
class Offered:
    """A set as it was read once, to be read again when it is known what goes where.

    By the id of each distinct example: its group, the place of its first record, and the example
    itself where `items` are kept. `data_hash` names the content, duplicates included.
    """

    location: files.Location
    format: str
    n_records: int
    data_hash: str
    groups: Mapping[str, str | None]
    places: Mapping[str, str]
    items: Mapping[str, Item] = field(default_factory=dict)

    def records(self) -> Iterator[Kept]:
        """The records again. DataError when the set is not the same any more."""
        running = RunningHash()
        for record in kept_records(self.location, self.format):
            running.add(record.item)
            yield record
        if running.hexdigest() != self.data_hash:
            raise DataError(
                "The set changed while it was read.",
                where=str(self.location),
                mend="choose from it when nobody writes to it",
            )


def location_of(scores: Scores, data: files.Location | None) -> files.Location:
    """Where the scored set lies, or lies now. UsageError when nobody says."""
    location: files.Location | None = data or scores.card.get("data")
    if location is None:
        raise UsageError(
            "The scores do not say which set they are of.",
            where=str(scores.folder),
            mend="name it with --data",
        )
    return location


def format_of(scores: Scores) -> str:
    """The format in which the set was read to be scored."""
    return str(scores.card.get("format") or "auto")


def read_offered(
    scores: Scores,
    location: files.Location,
    *,
    targets: Sequence[files.Location],
    keep_items: bool,
) -> Offered:
    """Read the set once. UsageError when one of the `targets` would overwrite it."""
    format = format_of(scores)
    running = RunningHash()
    groups: dict[str, str | None] = {}
    places: dict[str, str] = {}
    items: dict[str, Item] = {}
    n_records = 0
    for record in kept_records(location, format, targets=targets):
        n_records += 1
        running.add(record.item)
        if record.item.id not in groups:
            groups[record.item.id] = record.item.group
            places[record.item.id] = str(record.item.source)
            if keep_items:
                items[record.item.id] = record.item
    return Offered(location, format, n_records, running.hexdigest(), groups, places, items)
