from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneval.cli.main import main

CHAT = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]}
NAMED = {
    "messages": [
        {"role": "user", "content": "Hi", "name": "Ann"},
        {"role": "assistant", "content": "Yo"},
    ]
}


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("source.jsonl")


def write(file: Path, *rows: object) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def convert(*more: str, to: str = "alpaca") -> int:
    return main(["data", "convert", "source.jsonl", "--to", to, "--out", "out.jsonl", *more])


def test_all_written_ends_with_0(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(source, CHAT, CHAT)
    assert convert() == 0
    out, err = capsys.readouterr()
    assert "read as messages" in out
    assert "out.jsonl  2 records as alpaca" in out
    assert "rejected" not in out
    assert err == ""


def test_a_rejected_record_ends_with_1_and_its_reason(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(source, CHAT, NAMED)
    assert convert() == 1
    out = capsys.readouterr().out
    assert "out.jsonl  1 record as alpaca" in out
    assert "out.rejects.jsonl  1 record rejected" in out
    assert "1  The format alpaca has no place for names of speakers." in out
    assert len(Path("out.jsonl").read_text().splitlines()) == 1


def test_nothing_written_is_said(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(source, NAMED)
    assert convert() == 1
    assert "out.jsonl  is not written" in capsys.readouterr().out


def test_keys_left_behind_are_a_warning(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(source, CHAT | {"id": 7})
    assert convert() == 0
    assert "not read by the format messages, so not in out.jsonl: id (1)" in capsys.readouterr().err


def test_many_keys_left_behind_are_a_short_warning(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(source, CHAT | {f"key{n}": n for n in range(500)})
    assert convert() == 0
    assert "key9 (1) and 490 more" in capsys.readouterr().err


def test_json_has_the_counts_and_the_hash(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(source, CHAT, NAMED)
    assert convert("--json") == 1
    done = json.loads(capsys.readouterr().out)
    assert (done["n_read"], done["n_written"], done["n_rejected"]) == (2, 1, 1)
    assert done["reasons"] == {"The format alpaca has no place for names of speakers.": 1}
    assert len(done["data_hash"]) == 64
    assert done["exit_status"] == 1


def test_one_answer_of_a_preference_can_be_kept(source: Path) -> None:
    write(source, {"prompt": "Hi", "chosen": "Yo", "rejected": "No"})
    assert convert("--keep", "chosen", to="messages") == 0
    assert json.loads(Path("out.jsonl").read_text()) == CHAT


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--to", "alpacca"], "alpaca"),
        (["--keep", "chosen"], "holds no preferences"),
        (["--format", "mesages"], "messages"),
        (["--out", "source.jsonl"], "overwrite source.jsonl itself"),
    ],
)
def test_wrong_use_ends_with_2_and_writes_nothing(
    source: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str
) -> None:
    write(source, CHAT)
    assert convert(*more) == 2
    assert words in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == ["source.jsonl"]
