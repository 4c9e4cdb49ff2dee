from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tuneval import __version__
from tuneval.cli import group
from tuneval.cli.main import main, overview
from tuneval.errors import DataError, TunevalError


def raising(error: BaseException) -> click.Command:
    @click.command()
    @click.option("--json", "as_json", is_flag=True)
    def command(as_json: bool) -> None:
        raise error

    return command


@pytest.fixture
def outcome(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Runs a command that raises `error`; its exit status, stdout and stderr."""

    def run(error: BaseException, *options: str) -> tuple[int, str, str]:
        monkeypatch.setattr(group.LazyGroup, "get_command", lambda *_: raising(error))
        status = main(["anything", *options])
        out, err = capfd.readouterr()
        return status, out, err

    return run


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_is_the_overview(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    assert capsys.readouterr().out == overview() + "\n"


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"tuneval {__version__}\n"


def test_an_error_is_one_message_with_its_own_status(outcome) -> None:  # type: ignore[no-untyped-def]
    error = DataError("Line 17 is not JSON.", where="a.jsonl:17", mend="correct the line")
    status, out, err = outcome(error)
    assert (status, out) == (1, "")
    assert err == "Line 17 is not JSON.\n  where: a.jsonl:17\n  mend:  correct the line\n"


def test_with_json_the_error_is_also_on_stdout(outcome) -> None:  # type: ignore[no-untyped-def]
    status, out, err = outcome(DataError("Broken.", where="a.jsonl"), "--json")
    assert status == 1
    assert json.loads(out)["error"]["where"] == "a.jsonl"
    assert err.startswith("Broken.")


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/a/model.safetensors"),
        RuntimeError("I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_one_message_wherever_it_is_met(outcome, error: Exception) -> None:  # type: ignore[no-untyped-def]
    status, _, err = outcome(error)
    assert status == 1
    assert "free some space" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("error", [KeyboardInterrupt()])
def test_an_interrupt_says_how_to_go_on(outcome, error: BaseException) -> None:  # type: ignore[no-untyped-def]
    status, _, err = outcome(error)
    assert status == 130
    assert "run the same command again to continue" in err


def test_a_fault_of_ours_keeps_its_traceback(outcome) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ZeroDivisionError):
        outcome(ZeroDivisionError())


def test_debug_shows_the_traceback(outcome, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("TUNEVAL_DEBUG", "1")
    with pytest.raises(TunevalError):
        outcome(DataError("Broken."))


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["rusn", "list"], "'runs'"),
        (["runs", "lst"], "'list'"),
        (["runs", "show"], "RUN"),
        (["runs", "list", "--jsn"], "--json"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_a_mistyped_command_line_is_answered_with_status_2_and_a_hint(
    arguments: list[str], hint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    err = capfd.readouterr().err
    assert hint in err
    assert "--help" in err


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    for arguments in (["--help"], ["env", "--json"]):
        command = [sys.executable, "-m", "tuneval", *arguments]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == ""
