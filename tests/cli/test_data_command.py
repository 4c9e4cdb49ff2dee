from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneval.cli.main import main

GOOD = '{"messages": [{"role": "user", "content": "%d?"}, {"role": "assistant", "content": "!"}]}'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    path.write_text("".join(f"{GOOD % i}\n" for i in range(40)))
    return path


def test_a_clean_file_ends_with_0(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(file)]) == 0
    out = capsys.readouterr().out
    assert "read as messages" in out
    assert "40 records, 40 usable; no findings." in out


def test_ten_thousand_findings_are_a_short_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(f"{GOOD.replace('assistant', 'assisiant') % 1}\n" * 10_000 + "{\n")
    assert main(["data", "check", str(file)]) == 1
    out = capsys.readouterr().out
    assert len(out.splitlines()) < 20
    assert f"{file}:1  messages[1].role is 'assisiant'" in out
    assert "did you mean 'assistant'?" in out
    assert "… and 9997 more: lines 4, 5, 6" in out
    assert f"{file}:10001" in out
    assert "10001 records, 0 usable; 10001 errors." in out


def test_json_has_every_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text("{\n" * 500)
    assert main(["data", "check", str(file), "--json"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert len(content["findings"]) == 500
    assert content["exit_status"] == 1


def test_warnings_alone_end_with_0(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(file.read_text() + "\n")
    assert main(["data", "check", str(file)]) == 0
    assert "1 warning." in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["nosuch.jsonl"], ["."], ["data.jsonl", "--format", "csv"]])
def test_wrong_use_ends_with_2_and_one_message(
    file: Path,
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(file.parent)
    assert main(["data", "check", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") <= 3
    assert "mend:" in err


def test_split_writes_both_sides(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = file.parent / "sides"
    command = ["data", "split", str(file), "--held-out", "0.25", "--out", str(out)]
    assert main([*command, "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    sides = [(out / f"{name}.jsonl").read_text().splitlines() for name in ("train", "held_out")]
    assert [len(side) for side in sides] == [
        done["train"]["examples"],
        done["held_out"]["examples"],
    ]
    rows = [json.loads(line) for side in sides for line in side]
    assert sorted(rows, key=str) == sorted(map(json.loads, file.read_text().splitlines()), key=str)
    assert main(command) == 0
    assert "asked: 25.0%" in capsys.readouterr().out


def test_split_of_a_broken_file_writes_nothing(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(file.read_text() + "{\n")
    out = file.parent / "sides"
    assert main(["data", "split", str(file), "--out", str(out)]) == 1
    assert f"{file}:41" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("share", ["0", "1", "-1", "x"])
def test_split_refuses_an_impossible_share(
    file: Path, share: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "split", str(file), "--held-out", share, "--out", "x"]) == 2
    assert "--held-out" in capsys.readouterr().err
