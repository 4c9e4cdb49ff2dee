"""Progress drawn from events: bars in a terminal, lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from tuneval.runs.events import Event, Failed, Finished, ItemDone, Saved, Started, Step, Warned


@dataclass
class Stage:
    """How far a stage is. `since` and `spoken` are seconds of the clock."""

    total: int | None
    unit: str
    since: float
    spoken: float
    done: int = 0
    first_done: int | None = None
    values: dict[str, float] = field(default_factory=dict)

    def advance(self, event: Step | ItemDone) -> None:
        """Take in what the event says. What was done before we came gives no speed."""
        if self.first_done is None:
            self.first_done = max(0, event.done - 1)
        self.done = event.done
        self.total = event.total if event.total is not None else self.total
        if isinstance(event, Step):
            self.values = event.values

    def remaining_seconds(self, now: float) -> float | None:
        """From the mean speed so far; None while too little is done to tell."""
        done_here = self.done - (self.first_done or 0)
        if self.total is None or done_here < min(3, self.total):
            return None
        return (now - self.since) / done_here * max(0, self.total - self.done)


class Lines:
    """Progress as plain lines, at most one for a stage in `every_seconds`."""

    def __init__(
        self,
        say: Callable[[str], None] = lambda line: click.echo(line, err=True),
        *,
        every_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._every_seconds = every_seconds
        self._clock = clock
        self._stages: dict[str, Stage] = {}

    def __call__(self, event: Event) -> None:
        """Tell of `event` if it is time to."""
        now = self._clock()
        if isinstance(event, Started):
            self._stages[event.stage] = Stage(event.total, event.unit, now, now)
            amount = "" if event.total is None else f": {event.total} {event.unit}"
            self._say(f"{event.stage}{amount}")
        elif isinstance(event, Step | ItemDone):
            stage = self._stages.setdefault(event.stage, Stage(event.total, "", now, now))
            stage.advance(event)
            if now - stage.spoken >= self._every_seconds:
                stage.spoken = now
                self._say(f"{event.stage}: {_state(stage, now)}")
        elif isinstance(event, Finished):
            stage = self._stages.pop(event.stage, Stage(None, "", now, now))
            self._say(
                f"{event.stage}: done in {duration(now - stage.since)}{_values(event.values)}"
            )
        elif isinstance(event, Saved):
            self._say(f"{event.stage}: wrote {event.path}")
        elif isinstance(event, Warned):
            self._say(f"warning: {event.message}")
        elif isinstance(event, Failed):
            self._say(f"{event.stage}: failed: {event.message}")


class Bars:
    """Progress as bars on stderr, one for each stage; a finished one stays as a line."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[remaining]}", markup=False),
            TextColumn("{task.fields[values]}", markup=False),
            console=Console(stderr=True, highlight=False),
        )
        self._stages: dict[str, Stage] = {}
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Draw `event`."""
        now = time.monotonic()
        if isinstance(event, Started):
            self._begin(event.stage, event.total, event.unit, now)
        elif isinstance(event, Step | ItemDone):
            if event.stage not in self._tasks:
                self._begin(event.stage, event.total, "", now)
            stage = self._stages[event.stage]
            stage.advance(event)
            left = stage.remaining_seconds(now)
            self._progress.update(
                self._tasks[event.stage],
                completed=stage.done,
                total=stage.total,
                remaining="" if left is None else f"{duration(left)} left",
                values=_values(stage.values),
            )
        elif isinstance(event, Finished):
            task = self._tasks.pop(event.stage, None)
            stage = self._stages.pop(event.stage, Stage(None, "", now, now))
            if task is not None:
                total = stage.total if stage.total is not None else max(stage.done, 1)
                self._progress.update(
                    task, completed=total, total=total, remaining="", values=_values(event.values)
                )
                self._progress.stop_task(task)
        elif isinstance(event, Warned):
            self._progress.console.print(f"warning: {event.message}", markup=False)
        elif isinstance(event, Failed):
            self._progress.console.print(f"{event.stage}: failed: {event.message}", markup=False)

    def _begin(self, name: str, total: int | None, unit: str, now: float) -> None:
        self._stages[name] = Stage(total, unit, now, now)
        self._tasks[name] = self._progress.add_task(name, total=total, remaining="", values="")


def duration(seconds: float) -> str:
    """Seconds as a person says them: `8 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _state(stage: Stage, now: float) -> str:
    total = "" if stage.total is None else f"/{stage.total}"
    left = stage.remaining_seconds(now)
    rest = "" if left is None else f", about {duration(left)} left"
    return f"{stage.done}{total} {stage.unit}".rstrip() + rest + _values(stage.values)


def _values(values: Mapping[str, float]) -> str:
    return "".join(f"  {name} {value:.4g}" for name, value in values.items())
