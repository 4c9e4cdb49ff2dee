"""A recipe asks tasks of its models, compares them on one, and tells of them in its report."""

from __future__ import annotations

import json

import pytest

from tuneval.errors import RecipeError
from tuneval.evaluation.items import read_items
from tuneval.files import read_json
from tuneval.recipes.load import recipe_from
from tuneval.recipes.plan import plan_recipe
from tuneval.recipes.run import run_recipe


def write(path, rows) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture
def content(tmp_path, tiny_llama_folder) -> dict:
    sums = [{"instruction": f"{n} + 1", "input": "", "output": str(n + 1)} for n in range(12)]
    notes = write(tmp_path / "notes.jsonl", [{"text": f"{n} and {n + 1}"} for n in range(5)])
    tasks = [
        {"kind": "text", "path": notes, "name": "notes"},
        {"kind": "text", "path": notes, "name": "few", "limit": 2},
    ]
    return {
        "name": "small",
        "model": str(tiny_llama_folder),
        "template": "chatml",
        "data": {"file": write(tmp_path / "sums.jsonl", sums), "held_out": 0},
        "steps": [
            {"kind": "train", "method": {"kind": "lora", "rank": 2}, "duration": {"steps": 2}},
            {"kind": "evaluate", "name": "before", "model": "base", "tasks": tasks},
            {"kind": "evaluate", "name": "after", "model": "trained", "tasks": tasks},
            {"kind": "compare", "a": "before", "b": "after", "task": "notes"},
            {"kind": "report"},
        ],
    }


def test_tasks_are_asked_compared_and_reported(content, tmp_path):
    root = tmp_path / "runs"
    outcome = run_recipe(plan_recipe(recipe_from(content), root=root), root=root)
    results = {step.name: step.result for step in outcome.steps}
    assert list(results["before"]) == ["notes", "few"]
    for name in ("before", "after"):
        assert len(read_items(outcome.run.path("evaluation", name, "notes"))) == 5
        assert len(read_items(outcome.run.path("evaluation", name, "few"))) == 2
    comparison = results["comparison"]
    assert (comparison["a"], comparison["b"]) == ("before/notes", "after/notes")
    assert comparison["n_items"] == 5
    said = outcome.run.path("report.md").read_text(encoding="utf-8")
    assert "What each model scores" in said
    assert "2 of 5 questions were drawn" in said
    again = run_recipe(plan_recipe(recipe_from(content), root=root), root=root)
    assert all(step.cached for step in again.steps)


def test_other_questions_are_another_work(content, tmp_path):
    recipe = recipe_from(content)
    first = plan_recipe(recipe, root=tmp_path / "runs")
    notes = content["steps"][1]["tasks"][0]["path"]
    write(tmp_path / "notes.jsonl", [{"text": "something else"}])
    second = plan_recipe(recipe, root=tmp_path / "runs")
    keys = {plan.key: [step.key for step in plan.steps] for plan in (first, second)}
    assert len(keys) == 2, notes
    assert first.steps[0].key == second.steps[0].key, "the training does not read it"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"task": None}, "say which task is compared; both ask: notes, few"),
        ({"task": "nots"}, "did you mean 'notes'"),
    ],
)
def test_which_task_is_compared_must_be_clear(content, changed, said):
    content["steps"][3] |= changed
    with pytest.raises(RecipeError, match=said):
        recipe_from(content)


def test_a_wrong_task_is_named_with_its_step(content):
    content["steps"][1]["tasks"] = [{"kind": "text", "path": "a", "unti": "line"}]
    with pytest.raises(RecipeError, match=r"(?s)steps\.1.*unti"):
        recipe_from(content)
    content["steps"][1]["tasks"] = [{"kind": "text", "path": "a"}, {"kind": "text", "path": "b"}]
    with pytest.raises(RecipeError, match="two tasks are called 'text'"):
        recipe_from(content)


def test_a_task_needs_nothing_held_out_and_a_file_does(content):
    del content["steps"][1]["tasks"]
    with pytest.raises(RecipeError, match=r"needs data\.held_out above 0"):
        recipe_from(content)


def test_a_matrix_compares_every_task_of_its_cells(content, tmp_path):
    content["steps"] = [content["steps"][0], content["steps"][2], content["steps"][4]]
    content["steps"][1]["model"] = "trained"
    content["matrix"] = {"axes": {"rank": {"train.method.rank": [2, 4]}}}
    root = tmp_path / "runs"
    outcome = run_recipe(plan_recipe(recipe_from(content), root=root), root=root)
    table = read_json(outcome.run.path("ablation.json"))
    cells = {(row["task"], row["baseline"], row["cell"]) for row in table}
    assert cells == {(task, "after-rank_2", "after-rank_4") for task in ("notes", "few")}
    assert {row["difference"]["a"]["n"] for row in table if row["task"] == "few"} == {2}
