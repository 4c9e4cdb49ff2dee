from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuneval.cli.main import main


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A registry: a file that is there, a set of the hub, one of pictures, a faulty entry."""
    (tmp_path / "mine.jsonl").write_text('{"instruction": "Hi", "output": "Hello!"}\n')
    path = tmp_path / "dataset_info.json"
    content = {
        "mine": {"file_name": "mine.jsonl"},
        "hub": {"hf_hub_url": "org/name", "ranking": True},
        "pictures": {
            "file_name": "x.json",
            "columns": {"prompt": "q", "response": "a", "images": "i"},
        },
        "faulty": {"file_nam": "mine.jsonl"},
    }
    path.write_text(json.dumps(content))
    return path


def test_all_known_sets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "sets"]) == 0
    out = capsys.readouterr().out
    (line,) = [line.split() for line in out.splitlines() if line.startswith("belle_1m ")]
    assert line == ["belle_1m", "BelleGroup/train_1M_CN", "917,424", "zh", "gpl-3.0", "alpaca"]
    assert "sharegpt, not text (images)" in out
    assert "sets; `tuneval data sets NAME`" in out


def test_one_known_set_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "sets", "webqa"]) == 0
    out = capsys.readouterr().out
    assert "hub:webqa" in out
    assert "prompt = input, response = output" in out


def test_json_has_the_entry_as_a_registry_would(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "sets", "webqa", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["entry"]["columns"] == {"prompt": "input", "response": "output"}
    assert main(["data", "sets", "--json"]) == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert {"name", "source", "rows", "language", "licence", "format"} <= rows[0].keys()


def test_an_unknown_name_offers_near_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "sets", "web_qa"]) == 2
    assert "did you mean 'webqa'" in capsys.readouterr().err


def test_the_entries_of_a_registry_are_listed(
    registry: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "sets", "--registry", str(registry)]) == 0
    out = capsys.readouterr().out
    assert "preference" in out
    assert "org/name (not here)" in out
    assert "alpaca, not text (images)" in out
    assert "file_nam is not known to LLaMA-Factory (did you mean 'file_name'" in out
    assert "4 entries, 1 with their file here" in out


def test_one_entry_of_a_registry(registry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["data", "sets", "--registry", str(registry), "--json"]
    assert main([*command, "mine"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["is_here"]
    assert found["location"] == f"{registry}#mine"
    assert main([*command, "faulty"]) == 2
    assert "file_nam" in capsys.readouterr().err


def test_a_set_can_be_read_from_where_the_list_says(
    registry: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "check", f"{registry}#mine"]) == 0
    assert "1 record, 1 usable" in capsys.readouterr().out
