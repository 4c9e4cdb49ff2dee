"""`tuneval report` as a person types it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from tuneval import files
from tuneval.cli.main import main
from tuneval.data.read import read
from tuneval.scoring.row import ScoreRow
from tuneval.scoring.scorer import Reading


@pytest.fixture
def scored(tmp_path: Path) -> list[Path]:
    """Two folders of scores of one set of six examples; the last lacks its value."""
    data = tmp_path / "set.jsonl"
    files.write_jsonl(data, [{"prompt": f"q{n}", "completion": "a"} for n in range(6)])
    reading = Reading("Response perplexity", "回答困惑度", "perplexity", "It surprises.", "意外。")
    folders = []
    for name, factor in (("small", 2.0), ("large", 1.0)):
        rows = [
            ScoreRow(e.id, str(e.source), None, {"response_ppl": factor * 2**n}, {})
            for n, e in enumerate(read(data))
        ]
        rows[5].scores["response_ppl"] = None
        rows[5].reasons["response_ppl"] = "empty_response"
        folder = tmp_path / name
        files.write_jsonl(folder / "scores.jsonl", (row.as_dict() for row in rows))
        card = {"data": str(data), "format": "auto", "model": name, "data_hash": "d"}
        measures = {"response_ppl": {"reading": asdict(reading)}}
        files.write_json(folder / "scoring.json", card | {"measures": measures})
        folders.append(folder)
    return folders


def squeezed(text: str) -> str:
    """The text with runs of blanks made one."""
    return re.sub(" +", " ", text)


def test_it_writes_both_forms_and_says_what_stands_in_them(
    scored: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(scored[0])]) == 0
    out = squeezed(capsys.readouterr().out)
    assert "6 examples, 1 of them lack a measure" in out
    assert "response_ppl 5 8.00 [" in out
    assert "response_ppl: 1 because the response is empty" in out
    assert (scored[0] / "report.html").read_text("utf-8").startswith("<!doctype html>")
    assert (scored[0] / "report.md").read_text("utf-8").startswith("# Scores of `set.jsonl`")


def test_two_models_are_compared_on_the_command_line(
    scored: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "out"
    assert main(["report", *map(str, scored), "--to", str(to)]) == 0
    out = squeezed(capsys.readouterr().out)
    assert "large against small: 6 examples" in out
    assert "response_ppl 5 −0.693 ×0.500 1.000 100.0%" in out
    assert (to / "report.html").exists()
    assert not (scored[0] / "report.html").exists()


def test_it_answers_in_json(scored: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", *map(str, scored), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["html"] == str(scored[0] / "report.html")
    assert content["measures"]["response_ppl"]["unscored"] == {"empty_response": 1}
    paired = content["comparisons"][0]["measures"]["response_ppl"]
    assert (paired["n"], paired["difference_is_of_logarithms"]) == (5, True)
    assert paired["difference"]["value"] == pytest.approx(-0.6931471805599453)


def test_a_folder_without_scores_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", "nowhere"]) == 1
    assert "mend:" in capsys.readouterr().err
    assert main(["report"]) == 2


def test_it_needs_no_model(scored: list[Path]) -> None:
    code = (
        "import sys; from tuneval.cli.main import main; main(sys.argv[1:]); "
        "sys.exit(bool({'torch', 'transformers', 'scipy.stats'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "report", str(scored[0])], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
