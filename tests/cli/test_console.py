from __future__ import annotations

import io
import json
import math

import pytest

from tuneval.cli.console import answer, fields, progress, table
from tuneval.cli.progress import Bars, Lines, duration
from tuneval.runs.events import Failed, Finished, ItemDone, Saved, Started, Step, Warned


def test_json_answers_are_strict_json(capsys: pytest.CaptureFixture[str]) -> None:
    answer(True, {"loss": math.nan, "rows": [math.inf, 1.5, "中"]}, print)
    assert json.loads(capsys.readouterr().out) == {"loss": None, "rows": [None, 1.5, "中"]}
    answer(False, {"a": 1}, lambda content: print(len(content)))
    assert capsys.readouterr().out == "1\n"


def test_lines_speak_at_most_every_ten_seconds_and_tell_the_remaining_time() -> None:
    now = 0.0
    said: list[str] = []
    report = Lines(said.append, clock=lambda: now)
    report(Started("train", 100, "steps"))
    for step in range(1, 61):
        now += 1.0
        report(Step("train", step, 100, {"loss": 1 / step}))
    report(Finished("train", {"loss": 0.5}))
    assert said[0] == "train: 100 steps"
    assert len(said) == 1 + 6 + 1
    assert said[3] == "train: 30/100 steps, about 1 min 10 s left  loss 0.03333"
    assert said[-1] == "train: done in 1 min 00 s  loss 0.5"


def test_what_was_done_before_a_resume_gives_no_speed() -> None:
    now = 0.0
    said: list[str] = []
    report = Lines(said.append, clock=lambda: now)
    report(Started("evaluate", 120, "items"))
    for done in range(101, 111):
        now += 1.0
        report(ItemDone("evaluate", f"e{done}", done, 120))
    assert said[-1] == "evaluate: 110/120 items, about 10 s left"


def test_warnings_failures_and_saved_files_are_told_at_once() -> None:
    said: list[str] = []
    report = Lines(said.append)
    report(Warned("data", "2 examples were cut"))
    report(Saved("train", "adapter"))
    report(Failed("train", "the disk is full"))
    assert said == [
        "warning: 2 examples were cut",
        "train: wrote adapter",
        "train: failed: the disk is full",
    ]


def test_without_a_terminal_progress_is_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as report:
        report(Started("check", None, "records"))
    out, err = capsys.readouterr()
    assert (out, err) == ("", "check\n")


def test_bars_draw_every_kind_of_event(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr", screen)
    with Bars() as report:
        report(Started("train [a]", 2, "steps"))
        report(Step("train [a]", 1, 2, {"loss": 0.5}))
        report(Warned("train", "[red]careful[/red]"))
        report(Saved("train", "adapter"))
        report(Finished("train [a]", {"loss": 0.25}))
        report(ItemDone("evaluate", "e1", 1, None))
        report(Finished("evaluate"))
        report(Failed("judge", "no answer"))
    drawn = screen.getvalue()
    for part in ("train [a]", "2/2", "loss 0.25", "[red]careful", "evaluate", "no answer"):
        assert part in drawn


def test_a_table_in_a_pipe_is_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    table(["name", "n"], [["x" * 150, 7], ["中文", 10]])
    lines = capsys.readouterr().out.splitlines()
    assert "x" * 150 in lines[2]
    assert lines[2].rstrip().endswith(" 7")


def test_fields_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    fields({"a": None, "long": [1, 2], "b": 0.123456789}, indent=2)
    assert capsys.readouterr().out == "  a     –\n  long  1, 2\n  b     0.123457\n"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_durations_read_as_people_say_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said
