"""The card tells the run: its data, its recipe and its numbers with their intervals."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import yaml

from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.own_file import OwnFile, evaluate_file
from tuneval.exporting.card import hub_name
from tuneval.exporting.config import ExportConfig
from tuneval.exporting.export import export
from tuneval.models.reference import parse_reference
from tuneval.runs.events import Warned

ALONE = ExportConfig(what="adapter")


def card_of(source, to, config=ALONE):
    events = []
    export(config, source=str(source), to=to, report=events.append)
    return (to / "README.md").read_text(encoding="utf-8"), events


def row(card: str, name: str) -> list[str]:
    (line,) = re.findall(rf"^\| {re.escape(name)} \|(.*)\|$", card, re.MULTILINE)
    return [cell.strip() for cell in line.split(" | ")]


def test_every_number_has_its_interval_its_sample_and_what_it_was_before(tuned_run, tmp_path):
    card, _ = card_of(tuned_run, tmp_path / "out")
    change = json.loads((tuned_run / "change.json").read_text())
    (ppl,) = (r for r in change["rows"] if r["metric"] == "response_perplexity")
    better, before, after, difference, sample = row(card, "response_perplexity")
    assert better == "lower"
    for cell, of in ((before, ppl["a"]), (after, ppl["b"])):
        assert cell == f"{of['value']:.3f} [{of['low']:.3f}, {of['high']:.3f}]"
    moved = ppl["difference"]
    shown = f"{moved['value']:+.3f} [{moved['low']:+.3f}, {moved['high']:+.3f}]"
    assert difference == shown.replace("-", "−")
    assert difference.startswith("−")
    assert sample == f"n={ppl['b']['n']}"
    (accuracy,) = (r for r in change["rows"] if r["metric"] == "token_accuracy")
    of = accuracy["b"]
    shown = f"{of['value']:.1%} [{of['low'] * 100:.1f}, {of['high'] * 100:.1f}]"
    assert row(card, "token_accuracy")[2] == shown
    assert f"{accuracy['difference']['value'] * 100:+.1f}" in row(card, "token_accuracy")[3]
    assert "token_accuracy_whole_sequence" not in card
    assert "95% interval" in card
    assert "### before" not in card


def test_data_training_and_recipe_are_those_of_the_run(tuned_run, tmp_path, sums):
    card, _ = card_of(tuned_run, tmp_path / "my-model")
    manifest = json.loads((tuned_run / "run.json").read_text())
    trained = json.loads((tuned_run / "steps" / "train.json").read_text())["result"]
    assert "# my-model" in card
    assert row(card, "file") == [str(sums)]
    assert row(card, "hash") == [manifest["data_hash"]]
    assert row(card, "held out") == ["0.3"]
    assert row(card, "examples trained on") == [str(trained["data"]["examples"])]
    assert row(card, "mean training loss") == [
        f"{trained['train_loss']:.4f} nats per trained token"
    ]
    assert f"{trained['trainable_parameters']:,} of" in row(card, "trained parameters")[0]
    (recipe,) = re.findall(r"```yaml\n(.*?)```", card, re.DOTALL)
    assert yaml.safe_load(recipe) == yaml.safe_load((tuned_run / "recipe.yaml").read_text())


def test_evaluations_of_just_these_weights_are_found_in_every_run(
    runs_here, tmp_path, sums, tiny_llama_folder, monkeypatch
):
    elsewhere = tmp_path / "runs"
    shutil.copytree(runs_here, elsewhere / runs_here.name)
    monkeypatch.setenv("TUNEVAL_RUNS", str(elsewhere))
    measure = EvaluateConfig(generate=False)
    for name, model in (("later", f"run:{runs_here.name}"), ("other", str(tiny_llama_folder))):
        task = OwnFile(file=str(sums), model=model, name=name, template="chatml", limit=5)
        evaluate_file(measure, task)
    card, _ = card_of(runs_here.name, tmp_path / "out")
    after = json.loads((runs_here / "evaluation" / "after" / "result.json").read_text())
    assert re.findall(r"^### (\w+), (\d+) items$", card, re.MULTILINE) == [
        ("after", str(after["n_items"])),
        ("later", "5"),
    ]


def test_a_damaged_evaluation_is_left_out_and_told(tuned_run, tmp_path, monkeypatch):
    run = shutil.copytree(tuned_run, tmp_path / "runs" / "a")
    monkeypatch.setenv("TUNEVAL_RUNS", str(tmp_path / "runs"))
    (run / "evaluation" / "after" / "result.json").write_text("{}")
    card, events = card_of(run, tmp_path / "out")
    assert "no evaluation of them was found" in card
    assert any("after/result.json" in e.message for e in events if isinstance(e, Warned))


def test_a_model_of_no_run_has_a_card_that_claims_nothing(tiny_llama_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEVAL_RUNS", str(tmp_path / "none"))
    card, _ = card_of(tiny_llama_folder, tmp_path / "out", ExportConfig())
    assert "no evaluation of them was found" in card
    assert not re.findall("^## (Training|Data|Recipe)", card, re.MULTILINE)


def test_how_near_the_files_are_stands_in_the_card(tuned_run, tmp_path):
    card, _ = card_of(tuned_run, tmp_path / "out", ExportConfig(dtype="bfloat16"))
    noted = json.loads((tmp_path / "out" / "export.json").read_text())["model"]
    largest, *_, same = row(card, "these files, bfloat16, against the model in float32")
    assert float(largest) == pytest.approx(noted["written"]["largest"], rel=5e-3)
    assert same.startswith(f"{noted['written']['same_choice']} of {noted['written']['positions']} ")
    assert f"{noted['parameters']:,} parameters as bfloat16" in card


def test_the_metadata_names_a_base_that_the_hub_knows(tuned_run, tmp_path):
    assert (
        hub_name(parse_reference("bundled:smollm2-135m")) == "HuggingFaceTB/SmolLM2-135M-Instruct"
    )
    assert hub_name(parse_reference("hub:owner/name")) == "owner/name"
    card, _ = card_of(tuned_run, tmp_path / "out")
    metadata = yaml.safe_load(card.split("---")[1])
    assert metadata["tags"] == ["tuneval", "lora"]
    assert "base_model" not in metadata  # a folder of this machine names nothing on the hub
