"""`tuneval train --plan` and `tuneval plan --memory`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneval.cli.main import main


@pytest.fixture
def data(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "sums.jsonl"
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"{n} + 1"},
                {"role": "assistant", "content": f"{n + 1}"},
            ]
        }
        for n in range(12)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_plan_says_what_is_needed_and_starts_nothing(data, tiny_llama_folder, capsys):
    asked = ["train", str(data), "--model", str(tiny_llama_folder), "--method", "full", "--plan"]
    assert main(asked) == 0
    shown = capsys.readouterr().out
    assert "parameters    1," in shown
    assert "(100.00%)" in shown
    for part in ("weights", "gradients", "optimizer", "activations", "total", "It fits: "):
        assert part in shown
    assert not Path("runs").exists()
    assert main([*asked, "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)["train"]
    assert planned["fits"] is True
    assert planned["memory"]["total"] == sum(
        value for name, value in planned["memory"].items() if name != "total"
    )


def test_what_does_not_fit_comes_with_what_would(data, tiny_llama_folder, capsys, monkeypatch):
    monkeypatch.setattr("tuneval.training.planning.plan.available_bytes", lambda _: 2**20)
    assert main(["train", str(data), "--model", str(tiny_llama_folder), "--plan"]) == 0
    shown = capsys.readouterr().out
    assert "It does not fit: 1 MiB are free on this" in shown
    assert "No other setting needs less" in shown or "with --set" in shown


def test_a_recipes_plan_has_its_trainings_when_asked(data, tiny_llama_folder, capsys):
    recipe = {
        "name": "two",
        "model": str(tiny_llama_folder),
        "template": "chatml",
        "data": {"file": str(data)},
        "steps": [
            {"kind": "train", "name": "small", "method": {"kind": "lora"}},
            {"kind": "train", "name": "large", "method": {"kind": "full"}},
        ],
    }
    Path("two.yaml").write_text(json.dumps(recipe))
    assert main(["plan", "two.yaml", "--json"]) == 0
    assert "trainings" not in json.loads(capsys.readouterr().out)
    assert main(["plan", "two.yaml", "--memory", "--json"]) == 0
    trainings = json.loads(capsys.readouterr().out)["trainings"]
    needs = {name: training["memory"]["total"] for name, training in trainings.items()}
    assert needs["small"] < needs["large"]
