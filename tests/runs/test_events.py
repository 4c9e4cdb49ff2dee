from __future__ import annotations

from pathlib import Path

import pytest

from tuneval.errors import RunError
from tuneval.runs.events import (
    Event,
    Failed,
    Finished,
    ItemDone,
    Saved,
    Started,
    Step,
    Warned,
    event_as_dict,
    event_from_dict,
    ignore,
)
from tuneval.runs.recorder import Recorder, read_events, tee
from tuneval.runs.run import Run

EVENTS: list[Event] = [
    Started("train", 10, "steps"),
    Step("train", 1, 10, {"loss": 0.5}),
    ItemDone("evaluate", "e1", 1),
    Saved("train", "adapter"),
    Warned("data", "2 examples were cut"),
    Finished("train", {"loss": 0.25}),
    Failed("train", "the disk is full", "runs/a", "free some space"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_a_round_trip(event: Event) -> None:
    row = event_as_dict(event)
    assert event_from_dict(row | {"time": "now"}) == event
    ignore(event)


@pytest.mark.parametrize("row", [{}, {"event": "nosuch"}, {"event": "step"}])
def test_what_is_no_event_is_refused(row: dict[str, str]) -> None:
    with pytest.raises(RunError):
        event_from_dict(row)


def test_recorded_events_can_be_read_back_even_after_a_crash(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "a", "a1b2c3")
    assert list(read_events(run)) == []
    told: list[Event] = []
    report = tee(Recorder(run), told.append)
    for event in EVENTS:
        report(event)
    with open(run.path("events.jsonl"), "a") as file:
        file.write('{"time": "2026')
    read = list(read_events(run))
    assert [event for _, event in read] == told == EVENTS
    times = [time for time, _ in read]
    assert times == sorted(times)
    assert times[0].tzinfo is not None
