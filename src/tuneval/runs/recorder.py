"""Events written down as they happen, so that anybody may follow or read them later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.runs.events import Event, Report, event_as_dict, event_from_dict
from tuneval.runs.run import Run

RecordedEvent = tuple[datetime, Event]


class Recorder:
    """A report that appends every event, with its time, to the run's `events.jsonl`."""

    def __init__(self, run: Run) -> None:
        self.path: Path = run.path("events.jsonl")

    def __call__(self, event: Event) -> None:
        """Append `event`."""
        row: dict[str, Any] = {"time": datetime.now(UTC).isoformat(timespec="milliseconds")}
        files.append_jsonl(self.path, row | event_as_dict(event))


def tee(*reports: Report) -> Report:
    """A report that tells all of `reports`, in order."""

    def tell(event: Event) -> None:
        for report in reports:
            report(event)

    return tell


def read_events(run: Run) -> Iterator[RecordedEvent]:
    """The run's events so far, oldest first, each with its time."""
    path = run.path("events.jsonl")
    if not path.exists():
        return
    for row in files.read_jsonl(path, tolerate_torn_tail=True):
        yield datetime.fromisoformat(row["time"]), event_from_dict(row)
