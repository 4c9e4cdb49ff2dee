from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tuneval.cli.main import main
from tuneval.runs.run import Run
from tuneval.statistics.estimate import Estimate


@pytest.fixture(autouse=True)
def _runs_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEVAL_RUNS", str(tmp_path / "runs"))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run.create(tmp_path / "runs", "demo", "a1b2c3", model="bundled:small", command="train")
    estimate = Estimate(0.624, 0.598, 0.649, 0.95, "wilson", 1319)
    run.mark_step("train", "k1", {"loss": 0.5})
    run.mark_step("compare", "k2", {"exact": {"tuned": asdict(estimate), "flipped": [1] * 20}})
    run.update(status="done")
    return run


def test_an_empty_house_says_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "list"]) == 0
    assert "tuneval quickstart" in capsys.readouterr().out
    assert main(["runs", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_runs_are_listed_newest_first(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    newer = Run.create(run.folder.parent, "newer", "d4e5f6")
    assert main(["runs", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["id"], row["status"]) for row in rows] == [
        (newer.id, "interrupted"),
        (run.id, "done"),
    ]
    assert main(["runs", "list"]) == 0
    assert run.id in capsys.readouterr().out


def test_a_damaged_run_is_a_warning_on_stderr(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (run.folder / "run.json").write_text("{")
    assert main(["runs", "list", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == []
    assert err.startswith("warning: ")


def test_show_gives_manifest_and_results(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "show", "latest", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["manifest"]["model"] == "bundled:small"
    assert list(shown["results"]) == ["train", "compare"]
    assert shown["results"]["compare"]["exact"]["tuned"]["value"] == 0.624
    assert "run.json" in shown["files"]


def test_show_reads_estimates_as_people_do(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "show", run.id]) == 0
    out = capsys.readouterr().out
    assert "62.4% [59.8, 64.9], n=1319" in out
    assert "20 entries (--json shows them)" in out


def test_path_prints_the_folder_alone(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "path", "a1b2c3"]) == 0
    assert capsys.readouterr().out == f"{run.folder}\n"


def test_an_unknown_run_is_one_message(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "show", "nosuch", "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["error"] == "RunError"
    assert "There is no run 'nosuch'." in err
    assert f"the newest is {run.id}; `tuneval runs list` shows all" in err


def test_env_answers_in_json_and_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "--json"]) == 0
    assert "packages" in json.loads(capsys.readouterr().out)
    assert main(["env"]) == 0
    assert "torch" in capsys.readouterr().out
