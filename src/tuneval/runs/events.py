"""What long work tells while it goes on: one small event at a time, to a `report` function.

The terminal draws a bar from them, the recorder writes them down, a test collects a list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tuneval.errors import RunError


@dataclass(frozen=True, slots=True)
class Started:
    """A stage begins. `total` counts `unit`s (steps, items, bytes…); None when unknown."""

    stage: str
    total: int | None = None
    unit: str = "items"


@dataclass(frozen=True, slots=True)
class Step:
    """A stage has come to `done`; `values` are its numbers now (loss, learning_rate…)."""

    stage: str
    done: int
    total: int | None = None
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemDone:
    """One item is finished and kept."""

    stage: str
    item_id: str
    done: int
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """A file or folder was written."""

    stage: str
    path: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something a person should know, though the work goes on."""

    stage: str
    message: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A stage ended well."""

    stage: str
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """A stage ended in an error: what, where, and how to mend it."""

    stage: str
    message: str
    where: str = ""
    mend: str = ""


Event = Started | Step | ItemDone | Saved | Warned | Finished | Failed
Report = Callable[[Event], None]

_KINDS: dict[str, type[Event]] = {
    "started": Started,
    "step": Step,
    "item_done": ItemDone,
    "saved": Saved,
    "warned": Warned,
    "finished": Finished,
    "failed": Failed,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def ignore(event: Event) -> None:
    """The report of those who do not want one."""


def event_as_dict(event: Event) -> dict[str, Any]:
    """The event for JSON; `event` holds its kind."""
    return {"event": _NAMES[type(event)], **asdict(event)}


def event_from_dict(row: Mapping[str, Any]) -> Event:
    """The event that `event_as_dict` wrote. Keys added on the way, such as `time`, are let be."""
    kind = _KINDS.get(str(row.get("event")))
    if kind is None:
        raise RunError(
            f"There is no event called '{row.get('event')}'.", mend="known: " + ", ".join(_KINDS)
        )
    known = kind.__dataclass_fields__
    try:
        return kind(**{name: value for name, value in row.items() if name in known})
    except TypeError as error:
        raise RunError(f"This '{row['event']}' event is not whole: {error}.") from error
