"""Several trainings in one recipe: what steps may name, what they depend on, where all goes."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tuneval.data.read import read
from tuneval.errors import DataError, RecipeError, UsageError
from tuneval.evaluation.comparing.compare import Comparison
from tuneval.files import read_json, read_jsonl, shipped
from tuneval.models.load import load_model
from tuneval.recipes.load import load_recipe, recipe_from
from tuneval.recipes.plan import plan_recipe
from tuneval.recipes.run import run_recipe
from tuneval.runs.events import Warned
from tuneval.statistics.multiple import holm

QUICK = {
    "kind": "train",
    "method": {"kind": "lora", "rank": 2},
    "duration": {"steps": 3},
    "optimizer": {"learning_rate": 5e-3},
    "batches": {"max_length": 128},
}


def recipe(steps, *, file="x.jsonl", model="bundled:smollm2-135m", **data):
    return recipe_from(
        {
            "name": "several",
            "model": model,
            "template": "chatml",
            "data": {"file": str(file), "held_out": 0.3, "by": "id", **data},
            "steps": steps,
        }
    )


def faults_of(steps):
    with pytest.raises(RecipeError) as caught:
        recipe(steps)
    return "\n".join(caught.value.faults)


def evaluate(name, model):
    return {"kind": "evaluate", "name": name, "model": model, "generate": False}


@pytest.fixture
def sums(tmp_path):
    path = tmp_path / "sums.jsonl"
    rows = [
        {"instruction": f"What is {n} plus {n}?", "input": "", "output": f"It is {2 * n}, yes."}
        for n in range(40)
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_an_evaluate_step_names_a_training_when_there_are_several():
    trainings = [QUICK | {"name": "top"}, QUICK | {"name": "all"}]
    assert recipe([*trainings, evaluate("after", "top"), evaluate("before", "base")]).steps
    said = faults_of([*trainings, evaluate("after", "trained")])
    assert "step 3 (after): 'trained' could be any of several; name a train step: top, all" in said
    said = faults_of([*trainings, evaluate("after", "tpo")])
    assert "'tpo' is neither base nor an earlier train step; there are: top, all" in said
    assert "did you mean 'top'?" in said


def test_a_model_that_is_trained_later_is_not_there_yet():
    said = faults_of([evaluate("early", "train"), QUICK])
    assert "'train' is neither base nor an earlier train step; there are: none" in said
    assert "there is no train step before it" in faults_of([evaluate("early", "trained"), QUICK])


def test_the_only_training_goes_by_its_name_and_by_trained():
    one = recipe([QUICK | {"name": "mine"}, evaluate("a", "mine"), evaluate("b", "trained")])
    assert {one.training_of(step).name for step in one.steps[1:]} == {"mine"}


def test_names_that_evaluate_steps_use_are_no_names_of_trainings():
    assert "'base' means another model" in faults_of([QUICK | {"name": "base"}])


def test_selections_and_scores_are_named_by_earlier_steps():
    chosen = {"kind": "select", "name": "few", "scores": "score", "by": "ifd", "top": "20%"}
    scored = {"kind": "score"}
    assert recipe([scored, chosen, QUICK | {"examples": "few"}]).steps
    said = faults_of([chosen, QUICK | {"examples": "fwe"}])
    assert "'score' is no earlier score step; there are: none" in said
    assert "'fwe' is no earlier select step; there are: few; did you mean 'few'?" in said
    said = faults_of([scored, {"kind": "select", "by": "ifd", "top": "20%"}])
    assert "ranks by ifd and names no score step" in said


def test_a_step_depends_on_the_training_and_the_selection_that_it_uses(sums, tmp_path):
    def keys(**changes):
        steps = [
            {"kind": "score", "measures": ["response_tokens"]},
            {"kind": "select", "scores": "score", "by": "response_tokens", "top": "50%"},
            {"kind": "select", "name": "random", "random": True, "top": "50%"},
            QUICK | {"name": "top", "examples": "select"},
            QUICK | {"name": "chance", "examples": "random"},
            evaluate("a", "top"),
            evaluate("b", "chance"),
            evaluate("c", "base"),
        ]
        for name, change in changes.items():
            next(s for s in steps if name in (s.get("name"), s["kind"])).update(change)
        plan = plan_recipe(recipe(steps, file=sums), root=tmp_path)
        return {planned.step.name: planned.key for planned in plan.steps}

    before = keys()

    def changed(**changes):
        after = keys(**changes)
        return {name for name in before if before[name] != after[name]}

    assert changed(chance={"optimizer": {"learning_rate": 1e-4}}) == {"chance", "b"}
    assert changed(random={"seed": 3}) == {"random", "chance", "b"}
    assert changed(score={"seed": 3}) == {"score", "select", "top", "a"}


def test_an_override_by_kind_reaches_every_step_of_it_and_by_name_one():
    path = shipped("recipes/select.yaml")
    many = load_recipe(path, overrides=["steps.train.duration.epochs=1"])
    assert [t.duration.epochs for t in many.trainings] == [1, 1, 1]
    one = load_recipe(path, overrides=["steps.train-top.method.rank=4"])
    assert [t.method.rank for t in one.trainings] == [4, 16, 16]


def test_the_first_examples_are_taken_before_they_part(sums, tmp_path):
    small = recipe([{"kind": "check"}], file=sums, limit=10)
    (step,) = run_recipe(plan_recipe(small, root=tmp_path), root=tmp_path).steps
    whole = recipe([{"kind": "check"}], file=sums)
    (all_of_it,) = run_recipe(plan_recipe(whole, root=tmp_path), root=tmp_path).steps
    assert step.result["train"] + step.result["held_out"] == 10
    assert all_of_it.result["train"] + all_of_it.result["held_out"] == 40


def carried_out(steps, root, **about):
    outcome = run_recipe(plan_recipe(recipe(steps, **about), root=root), root=root)
    return outcome.run, {step.name: step.result for step in outcome.steps}


def test_a_field_names_the_tasks_that_a_quota_keeps_the_shares_of(tmp_path, tiny_llama_folder):
    file = tmp_path / "topics.jsonl"
    rows = [
        {"instruction": f"q {n}", "input": "", "output": "a " * n, "topic": "xy"[n % 3 == 0]}
        for n in range(1, 31)
    ]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    steps = [
        {"kind": "score", "measures": ["response_tokens"], "task": "topic"},
        {
            "kind": "select",
            "scores": "score",
            "by": "response_tokens",
            "top": "50%",
            "quota": "task",
        },
    ]
    run, results = carried_out(steps, tmp_path, file=file, model=str(tiny_llama_folder))
    tasks = {row["id"]: row["task"] for row in read_jsonl(run.path("scores/score/scores.jsonl"))}
    ids = read_json(run.path("selections/select/selection.json"))["chosen_ids"]
    offered, chosen = list(tasks.values()), [tasks[i] for i in ids]
    assert set(chosen) == {"x", "y"}
    for topic in "xy":
        assert abs(chosen.count(topic) - offered.count(topic) / 2) <= 1
    assert results["select"]["offered"] == len(tasks)


def test_a_selection_can_be_diverse_without_any_score(sums, tmp_path, tiny_llama_folder):
    step = {
        "kind": "select",
        "diverse": "embeddings",
        "embeddings": f"model:{tiny_llama_folder}",
        "top": 5,
    }
    _, results = carried_out([step], tmp_path, file=sums)
    assert results["select"]["chosen"] == 5


def test_a_selection_that_finds_too_few_says_so_and_one_of_none_trains_nothing(
    sums, tmp_path, tiny_llama_folder
):
    score = {"kind": "score", "measures": ["response_tokens"]}
    few = {"kind": "select", "scores": "score", "by": "response_tokens", "top": "50%"}
    none = few | {"keep": ["response_tokens > 1000"]}
    told = []
    small = recipe(
        [score, none, QUICK | {"examples": "select"}], file=sums, model=str(tiny_llama_folder)
    )
    with pytest.raises(DataError, match="'select' chose no example"):
        run_recipe(plan_recipe(small, root=tmp_path), root=tmp_path, report=told.append)
    (said,) = [event.message for event in told if isinstance(event, Warned)]
    assert "only 0 could be had" in said


@pytest.fixture(scope="module")
def shipped_run(tiny_llama_folder, tmp_path_factory):
    """`recipes/select.yaml` on a tiny random model and 40 sums, carried out twice."""
    place = tmp_path_factory.mktemp("select")
    rows = [
        {"instruction": f"What is {n} plus {n}?", "input": "", "output": f"It is {2 * n}, yes."}
        for n in range(40)
    ]
    (place / "sums.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    small = load_recipe(
        shipped("recipes/select.yaml"),
        overrides=[
            f"model={tiny_llama_folder}",
            f"data.file={place / 'sums.jsonl'}",
            "steps.train.duration={steps: 3}",
            "steps.train.batches.max_length=128",
            "template=chatml",
            "steps.top-third.keep=[ifd < 1000]",
        ],
    )
    first = run_recipe(plan_recipe(small, root=place), root=place)
    return first, run_recipe(plan_recipe(small, root=place), root=place)


def test_each_training_has_a_folder_that_loads_as_a_model(shipped_run):
    run = shipped_run[0].run
    assert not run.path("adapter").exists()
    hashes = set()
    for name in ("train-top", "train-random", "train-all"):
        folder = run.path("training", name)
        for file in ("trainer_log.jsonl", "train_results.json", "adapter/README.md"):
            assert (folder / file).is_file(), file
        hashes.add(load_model(f"run:{run.folder}:{name}", device="cpu").hash)
    assert len(hashes) == 3
    evaluated = {
        name: read_json(run.path("evaluation", name, "result.json"))["model_hash"]
        for name in ("top", "random", "all")
    }
    assert set(evaluated.values()) == hashes


def test_each_training_learns_from_what_was_chosen_for_it(shipped_run):
    outcome = shipped_run[0]
    results = {step.name: step.result for step in outcome.steps}
    n = results["check"]["train"]
    third = results["top-third"]["chosen"]
    assert third == results["random-third"]["chosen"] == round(n / 3)
    assert results["train-top"]["data"]["examples"] == third
    assert results["train-random"]["data"]["examples"] == third
    assert results["train-all"]["data"]["examples"] == n
    assert sum(results["top-third"]["rejected"].values()) == n - third

    run = outcome.run
    scores = {
        row["id"]: row["scores"]["ifd"] for row in read_jsonl(run.path("scores/score/scores.jsonl"))
    }
    chosen = read_json(run.path("selections/top-third/selection.json"))["chosen_ids"]
    rejected = {row["id"] for row in read_jsonl(run.path("selections/top-third/rejected.jsonl"))}
    best = sorted(scores, key=lambda i: -scores[i])[:third]
    assert chosen == best, "in the order of rank"
    assert {e.id for e in read(run.path("selections/top-third/chosen.jsonl"))} == set(best)
    assert rejected == scores.keys() - set(chosen)


def test_the_same_recipe_again_does_nothing_twice(shipped_run):
    first, again = shipped_run
    assert again.run == first.run
    assert not any(step.cached for step in first.steps)
    assert all(step.cached for step in again.steps)


def test_the_report_shows_every_training_selection_and_comparison(shipped_run):
    outcome = shipped_run[0]
    results = {step.name: step.result for step in outcome.steps}
    text = outcome.run.path("report.md").read_text(encoding="utf-8")
    page = outcome.run.path("report.html").read_text(encoding="utf-8")
    names = ("base-top", "base-random", "base-all", "random-top", "all-top")
    found = [Comparison.from_dict(results[name]) for name in names]
    together = holm([row.p_value for comparison in found for row in comparison.rows])
    assert len(together) == 5
    for comparison, p in zip(found, together, strict=True):
        (row,) = comparison.rows
        said = "<0.001" if p < 0.001 else f"{p:.2g}"
        assert f"| {comparison.a} → {comparison.b} | Response perplexity |" in text
        line = next(
            x for x in text.splitlines() if x.startswith(f"| {comparison.a} → {comparison.b}")
        )
        assert f"| {said} |" in line
        assert f"n={row.difference.n}" in line
    assert len(re.findall(r'class="curve c\d"', page)) == 3
    for name in ("train-top", "train-random", "train-all"):
        tokens = results[name]["data"]["trained_tokens"]
        assert re.search(rf"\| {name} \|.*\| {tokens:,} \| 3 \|", text)
        assert f"<th>{name}</th>" in page
    for form in (text, page):
        assert "keep ifd" in form
        assert "top 33.3%" in form
        assert "Only the likelihood of the true answers is compared" in form
        assert "Every training ran once, with one seed." in form
        assert "answered" not in form.replace("both models answered the same items", "")
    for name in names:
        assert f'id="comparison-{name}"' in page
    assert page.count('<span class="en"') == page.count('<span class="zh"')


def test_planning_scores_selections_and_trainings_imports_no_torch(sums, tmp_path):
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tuneval.recipes.load import load_recipe\n"
        "from tuneval.recipes.plan import plan_recipe\n"
        "recipe = load_recipe(sys.argv[1], overrides=['data.file=' + sys.argv[2]])\n"
        "plan = plan_recipe(recipe, root=Path(sys.argv[3]))\n"
        "print(len(plan.steps), {'torch', 'transformers', 'peft', 'ray'} & set(sys.modules))"
    )
    path = shipped("recipes/select.yaml")
    command = [sys.executable, "-c", program, str(path), str(sums), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"{len(load_recipe(path).steps)} set()\n"


def test_without_the_set_the_shipped_recipe_says_where_to_get_it(tmp_path):
    with pytest.raises(UsageError) as caught:
        plan_recipe(load_recipe(shipped("recipes/select.yaml")), root=tmp_path)
    assert "LLaMA-Factory" in caught.value.where
    assert "alpaca_en_demo" in caught.value.mend
