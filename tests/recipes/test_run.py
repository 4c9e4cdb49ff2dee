from __future__ import annotations

import json

import pytest

from tuneval.errors import DataError
from tuneval.recipes.load import recipe_from
from tuneval.recipes.plan import plan_recipe
from tuneval.recipes.run import run_recipe
from tuneval.runs.run import Run


@pytest.fixture
def recipe(tmp_path):
    data = tmp_path / "sums.jsonl"
    rows = [{"instruction": f"{n} + 1", "input": "", "output": str(n + 1)} for n in range(20)]
    data.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return recipe_from(
        {
            "name": "small",
            "model": "bundled:smollm2-135m",
            "data": {"file": str(data), "held_out": 0.3},
            "steps": [{"kind": "check"}],
        }
    )


def test_a_run_says_what_was_asked_and_what_it_ran_on(recipe, tmp_path):
    root = tmp_path / "runs"
    outcome = run_recipe(plan_recipe(recipe, root=root), root=root)
    for name in ("recipe.yaml", "resolved.yaml", "environment.json", "run.json", "events.jsonl"):
        assert outcome.run.path(name).stat().st_size > 0
    assert outcome.run.manifest.status == "done"


def test_a_run_that_was_killed_as_it_began_gets_its_description_on_the_next_start(recipe, tmp_path):
    root = tmp_path / "runs"
    first = run_recipe(plan_recipe(recipe, root=root), root=root)
    first.run.path("environment.json").unlink()
    again = run_recipe(plan_recipe(recipe, root=root), root=root)
    assert again.run == first.run
    assert again.run.path("environment.json").exists()
    assert [step.cached for step in again.steps] == [True]


def test_new_weights_in_a_model_s_folder_are_another_work(recipe, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"first")
    recipe = recipe.model_copy(update={"model": str(folder)})
    keys = [plan_recipe(recipe, root=tmp_path / "runs").key for _ in range(2)]
    (folder / "model.safetensors").write_bytes(b"other")
    keys.append(plan_recipe(recipe, root=tmp_path / "runs").key)
    assert keys[0] == keys[1] != keys[2]


def test_the_latest_run_is_that_of_the_start(recipe, tmp_path, monkeypatch):
    root = tmp_path / "runs"
    monkeypatch.setenv("TUNEVAL_RUNS", str(root))
    trained = Run.create(root, "tune", "abcdef123456")
    for name in ("model_reference.json", "model/config.json", "model/model.safetensors"):
        trained.path(name).parent.mkdir(exist_ok=True)
        trained.path(name).write_text('{"kind": "model"}')
    latest = recipe.model_copy(update={"model": "run:latest"})
    plan = plan_recipe(latest, root=root)
    run = run_recipe(plan, root=root).run
    assert plan.recipe.model == run.manifest.model == f"run:{trained.id}"
    assert plan_recipe(latest, root=root).run == run


def test_a_folder_with_a_broken_record_can_be_planned_and_fails_in_its_check(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"messages": []}\n')
    (folder / "b.jsonl").write_text("{\n")
    recipe = recipe_from(
        {
            "name": "broken",
            "model": "bundled:smollm2-135m",
            "data": {"file": str(folder)},
            "steps": [{"kind": "check"}],
        }
    )
    root = tmp_path / "runs"
    plan = plan_recipe(recipe, root=root)
    assert [step.done for step in plan.steps] == [False]
    with pytest.raises(DataError, match="The data has errors"):
        run_recipe(plan, root=root)


def test_a_changed_data_file_is_another_run(recipe, tmp_path):
    root = tmp_path / "runs"
    first = run_recipe(plan_recipe(recipe, root=root), root=root)
    file = tmp_path / "sums.jsonl"
    file.write_text(file.read_text() + '\n{"instruction": "2 + 2", "input": "", "output": "4"}')
    second = run_recipe(plan_recipe(recipe, root=root), root=root)
    assert second.run != first.run
    assert second.steps[0].result["records"] == 21


def test_faulty_data_ends_the_run_as_failed_with_the_reason(recipe, tmp_path):
    root = tmp_path / "runs"
    (tmp_path / "sums.jsonl").write_text('{"instruction": "x"')
    with pytest.raises(DataError, match="The data has errors"):
        run_recipe(plan_recipe(recipe, root=root), root=root)
    (manifest,) = root.glob("*/run.json")
    assert json.loads(manifest.read_text())["status"] == "failed"
