"""The forms of `tuneval evaluate`: tasks, a suite, predictions, lint; and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneval.cli.main import main


@pytest.fixture(autouse=True)
def _runs_are_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEVAL_RUNS", str(tmp_path / "runs"))


@pytest.fixture
def notes(tmp_path) -> str:
    path = tmp_path / "notes.jsonl"
    rows = [{"text": f"{n} is a number, and {n + 1} is one too."} for n in range(6)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def answer(capsys, *words: str) -> dict:
    assert main(["evaluate", *words, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert isinstance(content, dict)
    return content


def test_models_on_tasks_make_one_report(tiny_llama_folder, notes, capsys):
    words = [
        "--model", f"base={tiny_llama_folder}", "--model", f"same={tiny_llama_folder}",
        "--task", f"text={notes},name=notes", "--task", f"text={notes},name=few,limit=2",
        "--limit", "4", "--metrics", "bits_per_character,text_perplexity", "--name", "both",
    ]  # fmt: skip
    found = answer(capsys, *words)
    folder = Path(found["folder"])
    assert (folder / "report.html").is_file()
    result = found["evaluations"]["same"]["notes"]
    assert result["n_items"] == 4
    assert found["evaluations"]["same"]["few"]["n_items"] == 2
    assert list(result["metrics"])[-1] == "bits_per_character"
    difference = found["comparisons"]["notes"]["same"]["rows"][0]["difference"]
    assert difference["value"] == 0.0
    assert main(["evaluate", *words]) == 0
    shown = capsys.readouterr().out
    assert "bits_per_byte" in shown
    assert "notes: 4 of 6 questions were drawn" in shown
    assert str(folder) in shown, "the same work is one run"


def test_repeats_say_at_once_how_far_they_differ(tiny_llama_folder, notes, capsys):
    words = ["--model", str(tiny_llama_folder), "--task", f"text={notes},name=notes"]
    assert (
        main(["evaluate", *words, "--repeats", "2", "--vary", "precision", "--vary", "shots"]) == 0
    )
    said = capsys.readouterr()
    assert "run part" in said.out
    assert "none: could not act" in said.out
    assert "varying shots cannot change an answer: the task shows no demonstrations" in (
        said.out + said.err
    )


def test_a_suite_in_a_file_says_the_same(tiny_llama_folder, notes, tmp_path, capsys):
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        f"name: written\nmodels: {{base: {tiny_llama_folder}}}\n"
        f"tasks: [{{kind: text, path: {notes}}}]\nsettings: {{token_budget: 512}}\n",
        encoding="utf-8",
    )
    found = answer(capsys, "--suite", str(suite), "--to", str(tmp_path / "here"))
    assert found["folder"] == str(tmp_path / "here")
    assert found["evaluations"]["base"]["text"]["config"]["token_budget"] == 512


def test_predictions_are_graded_without_a_model(tmp_path, capsys):
    path = tmp_path / "said.jsonl"
    rows = [{"prediction": "yes", "reference": "yes"}, {"prediction": "no", "reference": "yes"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = answer(capsys, "--predictions", str(path), "--metrics", "exact_match, rouge-l")
    assert list(found["metrics"]) == ["exact_match", "rouge-l"]
    assert found["metrics"]["exact_match"]["estimate"]["value"] == 0.5
    assert main(["evaluate", "--predictions", str(path), "--metrics", "exact_match"]) == 0
    assert "50.0%" in capsys.readouterr().out


def test_lint_is_a_command_of_its_own(notes, capsys):
    assert main(["evaluate", "lint", f"text={notes}"]) == 0
    assert "6 questions" in capsys.readouterr().out
    assert main(["evaluate", "lint", "--help"]) == 0
    assert "tuneval evaluate lint" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "not said what to evaluate"),
        (["held.jsonl", "--task", "capability", "--model", "m"], "more than one thing"),
        (["held.jsonl"], "wants one model, and 0"),
        (["held.jsonl", "--model", "a", "--model", "b"], "--task generation=FILE"),
        (["--task", "capability"], "no model to ask"),
        (["--task", "capabilty", "--model", "bundled:smollm2-135m"], "capability"),
        (["--suite", "a.yaml", "--model", "m"], "leave out --model"),
        (["--suite", "nowhere.yaml"], "nowhere.yaml"),
        (["--task", "text=nowhere.txt", "--model", "bundled:smollm2-135m"], "nowhere.txt"),
        (["--task", "capability", "--model", "endpoint:http://here/v1"], "not the address"),
        (["--task", "capability", "--model", "bundled:smollm2-135m", "--no-generate"], "itself"),
        (["--task", "capability", "--model", "bundled:smollm2-135m", "--vary", "seed"], "repeats"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(words, said, capsys):
    assert main(["evaluate", *words]) in (1, 2)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--suite", "s.yaml", "--limit", "5"], "--limit"),
        (["--suite", "s.yaml", "--temperature", "0.7"], "--temperature"),
        (["--suite", "s.yaml", "--metrics", "rouge-l"], "--metrics"),
        (["--predictions", "p.jsonl", "--limit", "5"], "--limit"),
        (["own.jsonl", "--model", "m", "--repeats", "3"], "--repeats"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(words, option, capsys):
    assert main(["evaluate", *words]) != 0
    assert f"{option} does nothing here" in capsys.readouterr().err


def test_the_table_tells_of_questions_that_do_not_count_and_of_whom_a_note_is(
    tiny_llama_folder, tmp_path, capsys
):
    path = tmp_path / "own.jsonl"
    rows = [{"instruction": "word " * (3000 if n == 3 else 1) + str(n), "input": "", "output": "1"}
            for n in range(6)]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    task = ["--task", f"generation={path},name=own", "--max-new-tokens", "2"]
    base = ["--model", f"base={tiny_llama_folder}"]
    assert main(["evaluate", *base, "--model", f"same={tiny_llama_folder}", *task]) == 0
    shown = capsys.readouterr().out
    assert "own: 1 of 6 questions do not count; the first: longer than the 2048 tokens" in shown
    assert "own: same: taken over from" in shown
    assert "own: answers are at most 2 tokens long" in shown
