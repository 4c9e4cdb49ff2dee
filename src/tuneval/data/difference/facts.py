"""What `diff` says: counts of all that differs, and the records themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuneval.data.difference.fields import FieldChange
from tuneval.data.difference.pairs import How
from tuneval.data.example import Item, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A record that only one of the sets has, as it stands there."""

    where: str
    item: Item
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A record that stands elsewhere among the unchanged ones."""

    old_where: str
    new_where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A record that differs. `how` says what showed that it is the same one."""

    old_where: str
    new_where: str
    how: How
    similarity: float | None
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What differs between two sets. The lists may be shorter than the counts (see `diff`).

    `n_not_compared` records were left without a look for a near one: there were too many.
    """

    old: str
    new: str
    kind: Kind
    n_old: int
    n_new: int
    n_unchanged: int
    changed_by: Mapping[How, int]
    n_moved: int
    n_added: int
    n_removed: int
    n_not_compared: int
    changed: tuple[Change, ...]
    moved: tuple[Move, ...]
    added: tuple[Sighting, ...]
    removed: tuple[Sighting, ...]

    @property
    def n_changed(self) -> int:
        """Records that differ."""
        return sum(self.changed_by.values())

    def exit_status(self, *, ignore_order: bool = False) -> int:
        """0 when the sets are equal, 1 when they differ."""
        differing = self.n_added + self.n_removed + self.n_changed
        return int(bool(differing or (self.n_moved and not ignore_order)))

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "old": self.old,
            "new": self.new,
            "kind": self.kind,
            "n_old": self.n_old,
            "n_new": self.n_new,
            "n_unchanged": self.n_unchanged,
            "n_moved": self.n_moved,
            "n_changed": self.n_changed,
            "changed_by": dict(self.changed_by),
            "n_added": self.n_added,
            "n_removed": self.n_removed,
            "n_not_compared": self.n_not_compared,
            "changed": [_change_row(change) for change in self.changed],
            "moved": [{"old": m.old_where, "new": m.new_where} for m in self.moved],
            "added": [_sighting_row(sighting) for sighting in self.added],
            "removed": [_sighting_row(sighting) for sighting in self.removed],
        }


def _change_row(change: Change) -> dict[str, Any]:
    return {
        "old": change.old_where,
        "new": change.new_where,
        "how": change.how,
        "similarity": change.similarity,
        "fields": [field.as_dict() for field in change.fields],
    }


def _sighting_row(sighting: Sighting) -> dict[str, Any]:
    return {"where": sighting.where, "id": sighting.item.id, "record": dict(sighting.value)}
