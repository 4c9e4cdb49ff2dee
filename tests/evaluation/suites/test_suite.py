"""Several models on several tasks: each model loaded once, all of it in one run that goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneval.errors import UsageError
from tuneval.evaluation.answering.opening import open_respondent
from tuneval.evaluation.asking.answered import MEASURED
from tuneval.evaluation.items import read_items
from tuneval.evaluation.stability.found import find_repeats
from tuneval.evaluation.suites.run_suite import run_suite
from tuneval.evaluation.suites.suite import load_suite, suite_of
from tuneval.runs.events import ItemDone, Warned, ignore
from tuneval.runs.find import list_runs


@pytest.fixture
def files_of_tasks(tmp_path) -> dict[str, str]:
    """A file for each of two tasks."""
    sums = [
        {"instruction": f"What is {n} plus 1?", "input": "", "output": f"{n + 1}"} for n in range(6)
    ]
    notes = [{"text": f"{n} is a number, and {n + 1} is one too."} for n in range(4)]
    paths = {}
    for name, rows in {"sums": sums, "notes": notes}.items():
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        paths[name] = str(path)
    return paths


@pytest.fixture
def asked(files_of_tasks, tiny_llama_folder) -> dict:
    return {
        "name": "small",
        "models": {"base": str(tiny_llama_folder), "again": str(tiny_llama_folder)},
        "tasks": [
            {
                "kind": "generation",
                "name": "sums",
                "path": files_of_tasks["sums"],
                "max_new_tokens": 5,
            },
            {"kind": "text", "name": "notes", "path": files_of_tasks["notes"]},
        ],
    }


class Opener:
    """Opens the real model, and remembers how often."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def __call__(self, model, config, **words):
        self.opened.append(Path(model).name)
        return open_respondent(model, config, **words)


class Stop(BaseException):
    """Stands for a kill: nothing catches it."""


def stop_at(task: str, count: int):
    def report(event):
        if isinstance(event, ItemDone) and task in event.stage and event.done == count:
            raise Stop

    return report


def carry_out(content, root, opener=None, *, report=ignore, **words):
    return run_suite(
        suite_of(content), root=root, open_model=opener or Opener(), report=report, **words
    )


def items(outcome, label: str, title: str) -> list[dict]:
    """The items without what the clock and the drivers say."""
    found = [item.as_dict() for item in read_items(outcome.folder / "evaluation" / label / title)]
    for item in found:
        item["fields"] = {k: v for k, v in item["fields"].items() if k not in MEASURED}
    return found


def test_every_model_answers_every_task_and_is_loaded_once(asked, tmp_path):
    opener = Opener()
    asked["models"]["again"] = {"model": asked["models"]["base"], "template": "chatml"}
    outcome = carry_out(asked, tmp_path / "runs", opener)
    assert opener.opened == ["tiny-llama", "tiny-llama"]
    assert {label: list(tasks) for label, tasks in outcome.results.items()} == {
        "base": ["sums", "notes"],
        "again": ["sums", "notes"],
    }
    assert outcome.results["base"]["notes"].metrics["bits_per_byte"].estimate.value > 0
    assert len(items(outcome, "again", "sums")) == 6
    said = (outcome.folder / "report.md").read_text(encoding="utf-8")
    assert "Against base, item by item" in said
    assert list(outcome.comparisons["sums"]) == ["again"]
    (run,) = list_runs(tmp_path / "runs")
    assert (run.status, run.path("suite.json").is_file()) == ("done", True)
    assert sorted(run.finished_steps()) == [
        "again--notes", "again--sums", "base--notes", "base--sums",
    ]  # fmt: skip


def test_killed_twice_it_ends_as_if_undisturbed(asked, tmp_path):
    asked["models"] = {"base": asked["models"]["base"]}
    undisturbed = carry_out(asked, tmp_path / "whole", reuse=False)
    for stop in (stop_at("sums", 3), stop_at("notes", 2)):
        with pytest.raises(Stop):
            carry_out(asked, tmp_path / "runs", report=stop, reuse=False)
    outcome = carry_out(asked, tmp_path / "runs", reuse=False)
    assert len(list_runs(tmp_path / "runs")) == 1
    for title in ("sums", "notes"):
        assert items(outcome, "base", title) == items(undisturbed, "base", title)
        ours, theirs = outcome.results["base"][title], undisturbed.results["base"][title]
        assert (ours.metrics, ours.task, ours.key) == (theirs.metrics, theirs.task, theirs.key)


def test_what_is_done_loads_no_model_again(asked, tmp_path):
    first = carry_out(asked, tmp_path / "runs")
    opener = Opener()
    again = carry_out(asked, tmp_path / "runs", opener)
    assert opener.opened == []
    assert again == first


def test_a_same_evaluation_of_another_run_is_taken_over_and_says_so(asked, tmp_path):
    carry_out(asked, tmp_path / "runs")
    opener = Opener()
    fewer = asked | {"name": "other", "models": {"first": asked["models"]["base"]}}
    outcome = carry_out(fewer, tmp_path / "runs", opener)
    assert opener.opened == []
    result = outcome.results["first"]["sums"]
    assert result.name == "first/sums"
    assert any("taken over from" in note for note in result.notes)
    assert len(items(outcome, "first", "sums")) == 6
    carry_out(fewer | {"name": "third"}, tmp_path / "runs", opener, reuse=False)
    assert opener.opened == ["tiny-llama"]


@pytest.mark.parametrize(
    "changed",
    [
        {"settings": {"precision": "bfloat16"}},
        {"settings": {"temperature": 0.5}},
        {"models": {"base": {"model": "", "template": "alpaca"}}},
        {"limit": 4},
    ],
)
def test_other_work_is_not_taken_over(asked, tmp_path, changed, tiny_llama_folder):
    asked["models"] = {"base": str(tiny_llama_folder)}
    asked["tasks"] = asked["tasks"][:1]
    carry_out(asked, tmp_path / "runs")
    other = asked | {name: value for name, value in changed.items() if name != "limit"}
    if "models" in changed:
        other["models"]["base"]["model"] = str(tiny_llama_folder)
    if "limit" in changed:
        other["tasks"] = [asked["tasks"][0] | {"limit": changed["limit"]}]
    opener = Opener()
    carry_out(other, tmp_path / "runs", opener)
    assert len(opener.opened) == 1


def test_repeats_are_evaluations_of_their_own_and_load_a_model_once_for_a_number_format(
    asked, tmp_path
):
    asked["models"] = {"base": asked["models"]["base"]}
    asked |= {"tasks": asked["tasks"][1:], "repeats": 2, "vary": ["batch", "precision"]}
    opener = Opener()
    outcome = carry_out(asked, tmp_path / "runs", opener)
    titles = list(outcome.results["base"])
    assert len(opener.opened) == 2
    assert sorted(titles) == [
        "notes@batch-1", "notes@batch-4", "notes@precision-bfloat16", "notes@precision-float32",
    ]  # fmt: skip
    exact, rough = (
        outcome.results["base"][f"notes@precision-{name}"].metrics["bits_per_byte"].estimate.value
        for name in ("float32", "bfloat16")
    )
    assert exact == pytest.approx(rough, rel=0.02)
    assert exact != rough
    found = {
        (each.name, each.source): list(each.runs) for each in find_repeats([str(outcome.folder)])
    }
    assert {source: len(runs) for (_, source), runs in found.items()} == {
        "batch": 2, "precision": 2,
    }, "as `tuneval stability` reads them"  # fmt: skip
    with pytest.raises(UsageError, match="how often"):
        suite_of(asked | {"repeats": None})


def test_a_source_that_cannot_act_is_warned_of_and_the_report_tells_of_repeats(asked, tmp_path):
    asked["models"] = {"base": asked["models"]["base"]}
    asked |= {"repeats": 2, "vary": ["shots", "precision"]}
    warned = []
    outcome = carry_out(asked, tmp_path / "runs", report=lambda event: warned.append(event))
    said = [event.message for event in warned if isinstance(event, Warned)]
    assert sum("varying shots cannot change an answer" in each for each in said) == 2
    notes = outcome.results["base"]["sums@shots-1"].notes
    assert any("could not act (shots): the task shows no demonstrations" in note for note in notes)
    sources = {(row.name, row.source): row for row in outcome.stability.rows}
    assert sources["sums", "shots"].reading is None
    assert set(sources) == {
        (name, source) for name in ("sums", "notes") for source in ("shots", "precision")
    }
    for form in ("report.md", "report.html"):
        told = (outcome.folder / form).read_text(encoding="utf-8")
        assert "Repeated runs: how far the score moves by itself" in told
        assert "Varying shots could not change an answer" in told
    assert (outcome.folder / "report.md").read_text(encoding="utf-8").count("\n## sums@") == 1
    assert carry_out(asked, tmp_path / "runs").stability == outcome.stability


def test_a_folder_may_be_named(asked, tmp_path):
    asked["models"] = {"base": asked["models"]["base"]}
    outcome = carry_out(asked, tmp_path / "runs", folder=tmp_path / "here")
    assert outcome.folder == tmp_path / "here"
    assert len(items(outcome, "base", "sums")) == 6
    assert list_runs(tmp_path / "runs") == []


def test_models_without_a_label_are_called_by_what_they_are(tiny_llama_folder):
    suite = suite_of(
        {
            "models": ["bundled:smollm2-135m", str(tiny_llama_folder), str(tiny_llama_folder)],
            "tasks": [{"kind": "capability"}],
        }
    )
    assert [model.label for model in suite.models] == [
        "smollm2-135m", "tiny-llama", "tiny-llama-2",
    ]  # fmt: skip


def test_a_suite_is_read_from_a_file(asked, tmp_path):
    path = tmp_path / "suite.yaml"
    path.write_text(json.dumps(asked), encoding="utf-8")  # JSON is YAML
    assert load_suite(path) == suite_of(asked)
    path.write_text("- a\n", encoding="utf-8")
    with pytest.raises(UsageError, match="models and tasks"):
        load_suite(path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tasks": [{"kind": "gsm9k"}]}, "gsm8k"),
        ({"tasks": [{"kind": "text", "path": "a", "unti": "line"}]}, "unti"),
        (
            {"tasks": [{"kind": "text", "path": "a"}, {"kind": "text", "path": "b"}]},
            "called 'text'",
        ),
        ({"tasks": [{"kind": "text", "path": "a", "name": "../a"}]}, "cannot name a folder"),
        ({"models": []}, "models"),
        ({"models": {"a/b": "bundled:smollm2-135m"}}, "label"),
        ({"settings": {"metrics": ["exact_mach"]}}, "exact_match"),
    ],
)
def test_what_is_wrong_with_a_suite_is_named(asked, changed, said):
    with pytest.raises(UsageError, match=said):
        suite_of(asked | changed)


def test_what_is_behind_an_address_is_asked_anew_in_every_run(asked, tmp_path, tiny_llama_folder):
    asked["models"] = {"there": "endpoint:http://127.0.0.1:9/v1#m"}
    opened = []

    def open_there(model, config, **words):
        opened.append(model)
        return open_respondent(str(tiny_llama_folder), config, **words)

    for name in ("one", "two"):
        outcome = run_suite(
            suite_of(asked | {"name": name}), root=tmp_path / "runs", open_model=open_there
        )
        notes = outcome.results["there"]["sums"].notes
        assert not any("taken over" in note for note in notes)
    assert len(opened) == 2, "nobody knows that the same model is still there"


def test_answers_that_were_taken_over_are_no_repeat(asked, tmp_path):
    asked["models"] = {"base": asked["models"]["base"]}
    folders = [
        str(carry_out(asked | {"name": name}, tmp_path / "runs").folder) for name in ("one", "two")
    ]
    with pytest.raises(UsageError, match="None of these evaluations was repeated"):
        find_repeats(folders)
    again = carry_out(asked | {"name": "three"}, tmp_path / "runs", reuse=False).folder
    (found, *_) = find_repeats([*folders, str(again)])
    assert len(found.runs) == 2
