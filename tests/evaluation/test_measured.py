"""What answering took, and what training took, as an evaluation of a task finds it out."""

from __future__ import annotations

import json
from pathlib import Path

from tuneval.evaluation.asking import evaluate_task
from tuneval.evaluation.asking.trained import train_seconds
from tuneval.evaluation.items import read_items
from tuneval.evaluation.suites.run_suite import run_suite
from tuneval.evaluation.suites.suite import suite_of
from tuneval.files import write_json
from tuneval.models import consumption
from tuneval.models.energy import Counter


def test_training_took_what_the_results_beside_the_weights_say(tmp_path: Path) -> None:
    write_json(tmp_path / "train_results.json", {"train_runtime": 61.5})
    assert train_seconds("anything", str(tmp_path / "adapter")) == 61.5
    assert train_seconds("anything", str(tmp_path / "elsewhere" / "adapter")) is None
    assert train_seconds("bundled:smollm2-135m", None) is None


def test_an_evaluation_measures_memory_energy_and_speed(tmp_path, tiny_llama_folder, monkeypatch):
    """A driver that counts 3 J at each look."""
    readings = iter(range(0, 1000, 3))
    monkeypatch.setattr(
        consumption,
        "energy_counters",
        lambda _: [Counter(lambda: next(readings), None, next(readings))],
    )
    monkeypatch.setattr(evaluate_task, "train_seconds", lambda model, adapter: 61.5)
    rows = [{"instruction": f"Say {n}", "output": str(n)} for n in range(4)]
    path = tmp_path / "said.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    names = ["energy", "peak_memory", "seconds_to_first_token", "tokens_per_second"]
    suite = suite_of(
        {
            "name": "costs",
            "models": {"base": str(tiny_llama_folder)},
            "tasks": [{"kind": "generation", "path": str(path), "max_new_tokens": 4}],
            "settings": {"metrics": [*names, "train_seconds"]},
        }
    )
    outcome = run_suite(suite, folder=tmp_path / "here")
    metrics = outcome.results["base"]["generation"].metrics
    found = {name: metrics[name].estimate for name in names}
    assert found["energy"].value == 3.0
    weights = sum(file.stat().st_size for file in tiny_llama_folder.glob("*.safetensors"))
    assert found["peak_memory"].value > 0.9 * weights
    assert found["seconds_to_first_token"].value > 0
    assert found["tokens_per_second"].value > 0
    assert metrics["train_seconds"].estimate.value == 61.5
    efficiency = outcome.matrix.cells["base"]["generation"]["efficiency"]
    assert efficiency.metric == "seconds_to_first_token"
    items = read_items(tmp_path / "here" / "evaluation" / "base" / "generation")
    assert [item.fields["energy_joules"] for item in items] == [3.0] * 4
