"""`tuneval score` as a person types it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tuneval.cli.score import score
from tuneval.errors import UsageError
from tuneval.scoring.scores import Scores, find_scores

RECORDS = [
    {"instruction": "What is 2 plus 3?", "output": "The answer is 5.", "kind": "sum"},
    {"instruction": "What is 4 plus 4?", "output": "The answer is 8.", "kind": "sum"},
    {"instruction": "Is it a number?", "input": "seven", "output": "yes", "kind": "word"},
    {"instruction": "Is it a number?", "input": "password", "output": "no", "kind": "word"},
    {"instruction": "Say something.", "output": "", "kind": "word"},
]


@pytest.fixture
def data_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEVAL_RUNS", str(tmp_path / "runs"))
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in RECORDS), encoding="utf-8")
    return path


def run(*arguments: object) -> str:
    result = CliRunner().invoke(score, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_scores_stand_in_a_run_with_their_account_and_report(data_file, tiny_llama_folder):
    told = run(data_file, "--model", tiny_llama_folder, "--task", "kind")
    scores = find_scores("latest")
    assert [row.task for row in scores.rows] == ["sum", "sum", "word", "word", "word"]
    assert scores.measures == ["prompt_ppl", "response_ppl", "ifd", "r_ifd", "one_shot"]
    assert scores.card["measures"]["ifd"]["unscored"] == {"empty_response": 1}
    assert "1 not scored: empty_response" in told
    assert {path.name for path in scores.folder.iterdir()} >= {
        "run.json", "environment.json", "measured.jsonl", "report.html", "report.md",
        "scores.jsonl", "scoring.json",
    }  # fmt: skip


def test_json_is_the_card_and_the_same_command_gives_the_same_run(data_file, tiny_llama_folder):
    arguments = [data_file, "--model", tiny_llama_folder, "--task", "kind", "--json"]
    first = json.loads(run(*arguments))
    again = json.loads(run(*arguments))
    assert first == again
    assert first["measures"]["prompt_ppl"]["reading"]["title_zh"] == "提示困惑度"


def test_a_changed_file_computes_only_what_is_new(data_file, tiny_llama_folder):
    arguments = [data_file, "--model", tiny_llama_folder, "--measure", "ifd", "--json"]
    first = json.loads(run(*arguments))
    with data_file.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"instruction": "And 1 plus 1?", "output": "It is 2."}) + "\n")
    second = json.loads(run(*arguments))
    assert second["folder"] != first["folder"]
    assert second["work"]["requests"] == first["work"]["requests"] + 2
    assert second["work"]["reused"] == first["work"]["requests"]
    assert second["work"]["inputs"] == 2
    rows = {row.id: row for row in Scores.load(second["folder"]).rows}
    assert all(rows[row.id].scores == row.scores for row in Scores.load(first["folder"]).rows)


def test_measures_without_a_model_need_none(data_file):
    content = json.loads(run(data_file, "--measure", "repetition", "--measure", "format", "--json"))
    assert content["model"] is None
    assert content["measures"]["repetition"]["scored"] == 4


def test_a_measure_of_a_model_says_that_it_needs_one(data_file):
    with pytest.raises(UsageError, match="These measures need a model: prompt_ppl, response_ppl"):
        run(data_file)


def test_an_unknown_measure_gets_the_near_name(data_file, tiny_llama_folder):
    with pytest.raises(UsageError, match="did you mean 'r_ifd' or 'ifd'"):
        run(data_file, "--model", tiny_llama_folder, "--measure", "rifd")


def test_an_unknown_task_field_names_the_fields_there_are(data_file, tiny_llama_folder):
    with pytest.raises(UsageError, match="No record has a value for 'knd'") as told:
        run(data_file, "--model", tiny_llama_folder, "--task", "knd")
    assert "'kind'" in told.value.mend
