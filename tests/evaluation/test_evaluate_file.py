"""The commands: evaluate a file, find the evaluation again, compare two."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tuneval.cli.main import main
from tuneval.errors import RunError
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.items import write_items
from tuneval.evaluation.own_file import OwnFile, evaluate_file, find_evaluation
from tuneval.runs.run import Run


@pytest.fixture
def held_out(tmp_path) -> Path:
    path = tmp_path / "held.jsonl"
    rows = [
        {"instruction": f"What comes after {n}?", "input": "", "output": f"{n + 1}"}
        for n in range(4)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def finished(tmp_path, make_evaluation) -> Run:
    """A run with the evaluations base and tuned."""
    run = Run.create(tmp_path / "runs", "small", "abcdef")
    for name, answers in {"base": ["wrong"] * 3, "tuned": ["right"] * 3}.items():
        made = make_evaluation(name, answers)
        folder = run.path("evaluation", name)
        write_items(folder, made.items)
        made.result.save(folder)
    return run


def test_evaluations_are_found_by_folder_run_and_name(finished, tmp_path):
    root = tmp_path / "runs"
    folder = finished.path("evaluation", "base")
    assert find_evaluation(str(folder)) == folder
    assert find_evaluation("latest:base", root) == folder
    assert find_evaluation(f"{finished.id}:base", root) == folder
    with pytest.raises(RunError, match="tuned"):
        find_evaluation("latest:tund", root)
    with pytest.raises(RunError, match="several"):
        find_evaluation("latest", root)


def test_an_evaluation_of_a_task_is_found_by_model_and_task(tmp_path, make_evaluation):
    run = Run.create(tmp_path / "runs", "suite", "abcdef")
    for name in ("base/sums", "base/names", "tuned/sums"):
        folder = run.path("evaluation", *name.split("/"))
        made = make_evaluation(name, ["right"] * 3)
        write_items(folder, made.items)
        made.result.save(folder)
    root = tmp_path / "runs"
    assert find_evaluation("latest:base/sums", root) == run.path("evaluation", "base", "sums")
    assert find_evaluation("latest:names", root) == run.path("evaluation", "base", "names")
    with pytest.raises(RunError, match=r"(?s)several evaluations of 'sums'.*base/sums.*tuned/sums"):
        find_evaluation("latest:sums", root)
    with pytest.raises(RunError, match="tuned/sums"):
        find_evaluation("latest:tuned/sum", root)


def test_compare_command_answers_in_json(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TUNEVAL_RUNS", str(tmp_path / "runs"))
    assert main(["compare", "latest:base", "latest:tuned", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    row = next(row for row in answer["rows"] if row["metric"] == "exact_match")
    assert row["difference"]["value"] == 1.0
    assert len(answer["improved"]) == 3


def test_compare_command_shows_table_and_flips(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TUNEVAL_RUNS", str(tmp_path / "runs"))
    assert main(["compare", "latest:base", "latest:tuned", "--show", "1"]) == 0
    said = capsys.readouterr().out
    assert "+100.0" in said
    assert "improved on exact_match: 3 items" in said
    assert said.count("expected") == 1


def test_other_weights_under_the_same_name_are_other_work(tiny_llama_folder, held_out, tmp_path):
    from safetensors.torch import load_file, save_file

    model = tmp_path / "model"
    shutil.copytree(tiny_llama_folder, model)
    asked = OwnFile(file=str(held_out), model=str(model), name="quick", template="chatml")
    config = EvaluateConfig(generate=False)
    first, again = (evaluate_file(config, asked, root=tmp_path / "runs") for _ in range(2))
    assert again == first
    (weights,) = model.glob("*.safetensors")
    changed = {name: tensor * 1.01 for name, tensor in load_file(weights).items()}
    save_file(changed, weights, metadata={"format": "pt"})
    other = evaluate_file(config, asked, root=tmp_path / "runs")
    assert other.folder != first.folder
    assert other.result.model_hash != first.result.model_hash


def test_comparing_and_reporting_import_no_torch():
    code = (
        "import sys, tuneval.evaluation.comparing.compare, tuneval.evaluation.report, "
        "tuneval.evaluation.evaluate, tuneval.evaluation.predictions, tuneval.evaluation.task; "
        "sys.exit(bool({'torch', 'transformers', 'jieba', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.timeout(120)
def test_real_model_is_evaluated_from_the_command_line(
    smollm, held_out, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("TUNEVAL_RUNS", str(tmp_path / "runs"))
    command = [
        "evaluate", str(held_out), "--model", "bundled:smollm2-135m", "--limit", "2",
        "--metric", "exact_match", "--max-new-tokens", "8", "--name", "quick", "--json",
    ]  # fmt: skip
    assert main(command) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["n_items"] == 2
    assert answer["counts"]["alignment_agrees"] == 2
    perplexity = answer["metrics"]["response_perplexity"]["estimate"]
    assert perplexity["value"] > 1
    assert main(command) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["folder"] == answer["folder"], "the same work is one run"
    assert again["created"] == answer["created"]
