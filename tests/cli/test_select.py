"""`tuneval select` as a person types it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from scored import conversation, score_row, write_scores, write_set

from tuneval.cli.main import main
from tuneval.data.read import read


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place with a scored set of forty, in `scores`; two thirds of it are of the task `a`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNEVAL_RUNS", raising=False)
    data = write_set(tmp_path / "set.jsonl", [conversation(f"{n}?") for n in range(40)])
    write_scores(
        tmp_path / "scores",
        data,
        lambda n, e: score_row(e.id, task="aab"[n % 3], ifd="truncated" if n == 5 else n / 30),
    )
    return tmp_path


def squeezed(text: str) -> str:
    return re.sub(" +", " ", text)


def test_it_shows_the_funnel_and_where_the_files_are(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["select", "scores", "--keep", "ifd<1", "--by", "ifd", "--top", "20%"]
    assert main([*arguments, "--quota", "task", "--to", "out"]) == 0
    said = squeezed(capsys.readouterr().out)
    for text in (
        "records of the set 40 –",
        "keep ifd<1 29 10 keep:ifd<1, 1 unscored:ifd:truncated",
        "top 20%, quota task 8 21 below_top",
        "a 27 20 5 5",
        "b 13 9 3 3",
        "out/chosen.jsonl 8 records",
        "out/rejected.jsonl 32 records",
        "out/card.md",
    ):
        assert text in said, text
    assert len(list(read(folder / "out" / "chosen.jsonl"))) == 8


def test_it_answers_in_json_and_keeps_the_command(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["select", "scores/scores.jsonl", "--keep", "ifd < 1", "--order", "ascending"]
    arguments += ["--by", "ifd", "--top", "3", "--no-baseline", "--json"]
    monkeypatch.setattr(sys, "argv", ["tuneval", *arguments])
    assert main(arguments) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["counts"]["chosen"] == 3
    assert answer["counts"]["random"] == 0
    assert answer["config"]["order"] == "ascending"
    assert shlex.split(answer["command"]) == ["tuneval", *arguments]
    assert answer["folder"].startswith("runs/")
    assert (folder / answer["folder"] / "chosen.jsonl").is_file()


def test_a_wrong_expression_is_one_clear_message(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["select", "scores", "--keep", "idf<1"]) == 2
    said = capsys.readouterr().err
    assert "There is no measure called 'idf'." in said
    assert "column 1 of `idf<1`" in said
    assert "did you mean 'ifd'?" in said
    assert main(["select", "scores", "--top", "0.2", "--by", "ifd"]) == 2
    assert "20% for that share" in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == ["scores", "set.jsonl"]


def test_other_ways_to_choose_are_options(folder: Path) -> None:
    assert main(["select", "scores", "--random", "--top", "25%", "--seed", "3", "--to", "a"]) == 0
    assert len(list(read(folder / "a" / "chosen.jsonl"))) == 10
    packed = ["--ending", ".jsonl.gz", "--format-to", "sharegpt"]
    assert main(["select", "scores", "--by", "ifd", "--top", "4", *packed, "--to", "b"]) == 0
    assert len(list(read(folder / "b" / "chosen.jsonl.gz"))) == 4


def test_there_are_no_scores(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["select", "set.jsonl", "--keep", "ifd<1"]) == 1
    assert capsys.readouterr().err


def test_choosing_without_diversity_imports_no_torch() -> None:
    code = (
        "import sys, tuneval.cli.select, tuneval.scoring.select; "
        "sys.exit(bool({'torch', 'transformers', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
