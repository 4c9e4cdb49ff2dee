"""A matrix writes a recipe's steps once and carries them out for every combination."""

from __future__ import annotations

import json

import pytest
import yaml

from tuneval.errors import RecipeError
from tuneval.files import read_json
from tuneval.recipes.ablation import ablation_rows
from tuneval.recipes.load import load_recipe, recipe_from
from tuneval.recipes.plan import plan_recipe
from tuneval.recipes.recipe import CompareStep, EvaluateStep, TrainStep
from tuneval.recipes.run import run_recipe
from tuneval.statistics.multiple import holm

STEPS = [
    {"kind": "select", "name": "few", "random": True, "top": "50%"},
    {"kind": "evaluate", "name": "base", "model": "base", "generate": False},
    {"kind": "train", "method": {"kind": "lora", "rank": 2}, "duration": {"steps": 2}},
    {"kind": "evaluate", "name": "tuned", "model": "trained", "generate": False},
    {"kind": "report"},
]
DATA = {"all": {}, "few": {"train.examples": "few"}}
RANK = {"train.method.rank": [2, 4]}


def recipe(axes, *, steps=STEPS, model="bundled:smollm2-135m", file="x.jsonl", **matrix):
    return recipe_from(
        {
            "name": "ablation",
            "model": model,
            "template": "chatml",
            "data": {"file": str(file), "held_out": 0.4, "by": "id"},
            "matrix": {"axes": axes, **matrix},
            "steps": steps,
        }
    )


def faults_of(axes, **matrix):
    with pytest.raises(RecipeError) as caught:
        recipe(axes, **matrix)
    return "\n".join(caught.value.faults)


def test_a_step_stands_once_for_every_combination_that_reaches_it():
    made = recipe({"data": DATA, "rank": RANK})
    assert [step.name for step in made.steps if step.kind in ("select", "report")] == [
        "few",
        "report",
    ]
    trainings = {step.name: step for step in made.steps if isinstance(step, TrainStep)}
    assert {name: (t.examples, t.method.rank) for name, t in trainings.items()} == {
        "train-data_all-rank_2": (None, 2),
        "train-data_all-rank_4": (None, 4),
        "train-data_few-rank_2": ("few", 2),
        "train-data_few-rank_4": ("few", 4),
    }
    evaluations = {step.name: step.model for step in made.steps if isinstance(step, EvaluateStep)}
    assert evaluations.pop("base") == "base"
    assert evaluations == {name.replace("train", "tuned"): name for name in trainings}


def test_every_cell_is_compared_with_the_baseline_and_knows_its_levels():
    made = recipe({"data": DATA, "rank": RANK}, baseline={"rank": 4}, metrics=["exact_match"])
    compared = [step for step in made.steps if isinstance(step, CompareStep)]
    assert {(step.a, step.b): step.levels for step in compared} == {
        ("tuned-data_all-rank_4", "tuned-data_all-rank_2"): {"data": "all", "rank": "2"},
        ("tuned-data_all-rank_4", "tuned-data_few-rank_2"): {"data": "few", "rank": "2"},
        ("tuned-data_all-rank_4", "tuned-data_few-rank_4"): {"data": "few", "rank": "4"},
    }
    assert {step.metrics for step in compared} == {("exact_match",)}
    assert made.steps[-1].kind == "report", "the report tells of all comparisons"


def test_the_untrained_model_can_be_the_baseline():
    made = recipe({"rank": RANK}, baseline="base")
    compared = [(s.a, s.b) for s in made.steps if isinstance(s, CompareStep)]
    assert compared == [("base", "tuned-rank_2"), ("base", "tuned-rank_4")]


def test_an_axis_that_reaches_a_selection_reaches_what_builds_on_it():
    steps = [STEPS[0], {**STEPS[2], "examples": "few"}, STEPS[3]]
    made = recipe({"size": {"few.top": ["30%", "60%"]}}, steps=steps)
    assert [(s.name, getattr(s, "top", None)) for s in made.steps if s.kind == "select"] == [
        ("few-size_30", "30%"),
        ("few-size_60", "60%"),
    ]
    assert [s.examples for s in made.trainings] == ["few-size_30", "few-size_60"]


def test_a_step_by_name_goes_before_a_kind():
    steps = [
        {**STEPS[2], "name": "train"},
        {**STEPS[2], "name": "other"},
        {**STEPS[3], "model": "train"},
    ]
    made = recipe({"rank": RANK}, steps=steps)
    assert [step.name for step in made.trainings] == ["train-rank_2", "train-rank_4", "other"]
    assert {step.method.rank for step in made.trainings if step.name == "other"} == {2}


def test_what_was_expanded_loads_again_as_it_is(tmp_path):
    made = recipe({"data": DATA, "rank": RANK})
    path = tmp_path / "resolved.yaml"
    path.write_text(yaml.safe_dump(made.model_dump(mode="json")), encoding="utf-8")
    assert load_recipe(path) == made


def test_faults_name_the_cell_and_the_near_name():
    assert "did you mean 'train'" in faults_of({"rank": {"trian.method.rank": [2, 4]}})
    said = faults_of({"rank": {"train.method.rnk": [2, 4]}})
    assert "train-rank_2: method.rnk: no such field; did you mean 'rank'?" in said
    assert "rank has no level '3'" in faults_of({"rank": RANK}, baseline={"rank": "3"})
    assert "no axis 'rnk'; did you mean 'rank'?" in faults_of({"rank": RANK}, baseline={"rnk": "2"})
    assert "'bsae' is no step that no axis reaches" in faults_of({"rank": RANK}, baseline="bsae")
    assert "no evaluate step varies" in faults_of({"top": {"few.top": ["10%", "20%"]}})
    assert "two levels or more" in faults_of({"rank": {"train.method.rank": [2]}})
    assert "two levels or more" in faults_of({"rate": {"train.seed": ["a.b", "a-b"]}})
    assert "kind is a plain value" in faults_of({"rank": {"train.method.kind.rank": [2, 4]}})


def test_one_table_of_paired_differences_comes_out(tmp_path, tiny_llama_folder):
    data = tmp_path / "sums.jsonl"
    rows = [
        {"instruction": f"What is {n} plus {n}?", "input": "", "output": f"It is {2 * n}, yes."}
        for n in range(24)
    ]
    data.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    made = recipe(
        {"rank": RANK, "rate": {"train.optimizer.learning_rate": [1.0e-3, 1.0e-2]}},
        model=str(tiny_llama_folder),
        file=data,
        metrics=["response_perplexity"],
    )
    root = tmp_path / "runs"
    outcome = run_recipe(plan_recipe(made, root=root), root=root)
    table = read_json(outcome.run.path("ablation.json"))
    assert [row["levels"] for row in table] == [
        {"rank": "2", "rate": "0.01"},
        {"rank": "4", "rate": "0.001"},
        {"rank": "4", "rate": "0.01"},
    ]
    assert {row["baseline"] for row in table} == {"tuned-rank_2-rate_0_001"}
    adjusted = holm([row["difference"]["p_value"] for row in table])
    assert [row["difference"]["p_holm"] for row in table] == pytest.approx(adjusted)
    changed = [row["difference"]["difference"]["value"] for row in table]
    assert min(changed) < 0, "the higher learning rate fits better"
    assert ablation_rows(recipe_from(_without_matrix(made)), {}) == []


def _without_matrix(made):
    content = made.model_dump(mode="json")
    return content | {"steps": [s for s in content["steps"] if s["kind"] != "compare"]}
