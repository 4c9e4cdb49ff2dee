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
