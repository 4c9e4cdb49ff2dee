"""Finished answers in a file that grows line by line, so that a crash loses at most one."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.runs.events import Event, Report, Warned

ELAPSED = "elapsed_seconds"
Measure = Callable[[], dict[str, float]]


class Kept:
    """The rows of a JSON-lines file by item id. Each id stands there once.

    `measure` gives what the work since the last row took; it is kept with each row.
    """

    def __init__(self, path: Path, *, wanted: Collection[str]) -> None:
        self.path = path
        self.rows: dict[str, dict[str, Any]] = {}
        self.measure: Measure | None = None
        if path.exists():
            for row in files.read_jsonl(path, tolerate_torn_tail=True):
                if row.get("id") in wanted:
                    self.rows.setdefault(row["id"], row)
        self._seconds_before = max((row.get(ELAPSED, 0.0) for row in self.rows.values()), default=0)
        self._began = time.monotonic()

    def __contains__(self, item_id: str) -> bool:
        return item_id in self.rows

    def __len__(self) -> int:
        return len(self.rows)

    def append(self, row: dict[str, Any]) -> None:
        """Keep a finished item, with the seconds of work up to it over all starts."""
        elapsed = self._seconds_before + time.monotonic() - self._began
        measured = {} if self.measure is None else self.measure()
        row = row | {ELAPSED: round(elapsed, 3)} | measured
        files.append_jsonl(self.path, row)
        self.rows[row["id"]] = row

    @property
    def seconds(self) -> float:
        """Seconds of work up to the last finished item, over all starts."""
        return float(max((row.get(ELAPSED, 0.0) for row in self.rows.values()), default=0.0))


def warnings_only(report: Report) -> Report:
    """For the engines below: their warnings pass; how far they are is told item by item here."""

    def tell(event: Event) -> None:
        if isinstance(event, Warned):
            report(event)

    return tell
