"""lm-eval's tasks beside others in a suite: its prompts and grades, our items and intervals."""

from __future__ import annotations

import json
import warnings

import pytest

pytest.importorskip("lm_eval")

from tuneval.cli.main import main
from tuneval.errors import UsageError
from tuneval.evaluation.comparing.compare import compare_folders
from tuneval.evaluation.items import read_items
from tuneval.evaluation.lm_eval.run import LmEvalConfig, run_lm_eval
from tuneval.evaluation.suites.run_suite import run_suite
from tuneval.evaluation.suites.suite import suite_of
from tuneval.evaluation.tasks import task_from

TASKS = ("sums_choice", "sums_text", "sums_written")
# Importing lm-eval takes longer than all the answers.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def task(name, task_folder, **more):
    return {"kind": "lm_eval", "path": name, "include": str(task_folder), **more}


@pytest.fixture(scope="module")
def suite(tiny_llama_folder, task_folder):
    return suite_of(
        {
            "name": "both",
            "models": {"tiny": str(tiny_llama_folder)},
            "tasks": [task(name, task_folder, shots=2) for name in TASKS],
        }
    )


@pytest.fixture(scope="module")
def outcome(suite, tmp_path_factory):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return run_suite(suite, folder=tmp_path_factory.mktemp("suite"))


@pytest.fixture(scope="module")
def alone(tiny_llama_folder, task_folder, tmp_path_factory):
    """The same asked by lm-eval itself, with our engine as its model."""
    config = LmEvalConfig(tasks=TASKS, model=str(tiny_llama_folder), include=task_folder, shots=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = run_lm_eval(config, folder=tmp_path_factory.mktemp("alone"))
    return {one.folder.name: one for one in done}


@pytest.mark.parametrize("name", TASKS)
def test_figures_are_those_of_lm_eval_itself_and_items_pair(outcome, alone, name):
    result = outcome.results["tiny"][name]
    wanted = alone[name].result.metrics
    graded = [metric for metric in wanted if metric.startswith("lm_eval")]
    assert graded
    for metric in graded:
        ours, theirs = result.metrics[metric].estimate, wanted[metric].estimate
        assert ours.value == pytest.approx(theirs.value, rel=1e-5)
        assert (ours.n, ours.method, ours.low) == (12, theirs.method, pytest.approx(theirs.low))
    folder = outcome.folder / "evaluation" / "tiny" / name
    found = compare_folders(alone[name].folder, folder)
    assert found.n_items == 12
    assert found.row(graded[0]).difference.value == pytest.approx(0.0, abs=1e-4)


def test_choices_have_our_metrics_first_and_what_is_no_mean_is_told(outcome):
    result = outcome.results["tiny"]["sums_choice"]
    assert result.task.main == "choice_accuracy"
    value = result.metrics["choice_accuracy"].estimate.value
    assert value == result.metrics["lm_eval:acc"].estimate.value
    by_characters = result.metrics["choice_accuracy_by_characters"].estimate.value
    assert by_characters == result.metrics["lm_eval:acc_norm"].estimate.value
    assert "sums_choice: mcc is a figure of lm-eval's over the whole set, and left out" in (
        result.notes
    )
    assert result.task.protocol.startswith("lm_eval/sums_choice@")
    assert result.task.protocol.endswith("/2-shot")


def test_answers_of_perturbed_questions_are_graded_too(tiny_llama_folder, task_folder, tmp_path):
    content = {
        "models": {"tiny": str(tiny_llama_folder)},
        "tasks": [task("sums_written", task_folder, limit=4, shots=2)],
        "settings": {"perturbations": ["adversarial_suffix"]},
    }
    done = run_suite(suite_of(content), folder=tmp_path)
    items = read_items(tmp_path / "evaluation" / "tiny" / "sums_written")
    copies = [item for item in items if "original" in item.fields]
    assert (len(items) - len(copies), len(copies)) == (4, 4)
    assert all(item.prompt.startswith("What is") for item in items), "without demonstrations"
    for item in items:
        grades = item.fields["lm_eval"]
        assert set(item.extracted) == {"strict", "lenient"}
        assert set(grades) == {"exact_match,strict-match", "exact_match,flexible-extract"}
    main_metric = "lm_eval:exact_match,strict-match"
    drop = done.results["tiny"]["sums_written"].metrics[f"robustness_drop:{main_metric}"]
    assert drop.estimate.n


def test_what_cannot_be_posed_is_refused_with_the_command_that_can(task_folder):
    with pytest.raises(UsageError, match="whether greedy decoding says") as caught:
        task_from(task("sums_last_word", task_folder)).load()
    assert "tuneval evaluate lm-eval" in caught.value.mend
    with pytest.raises(UsageError, match="no task called 'sums_choise'") as caught:
        task_from(task("sums_choise", task_folder)).load()
    assert "sums_choice" in caught.value.mend


def test_it_is_spelt_in_a_word_and_stands_in_one_report_with_others(
    tiny_llama_folder, task_folder, tmp_path, capsys
):
    own = tmp_path / "own.jsonl"
    rows = [{"question": f"What is {n}?", "choices": ["a", "b"], "answer": "A"} for n in range(3)]
    own.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    words = ["evaluate", "--model", str(tiny_llama_folder), "--to", str(tmp_path / "to"), "--json"]
    tasks = [f"lm_eval=sums_choice,include={task_folder},limit=5", f"multiple_choice={own}"]
    assert main([*words, *(word for one in tasks for word in ("--task", one))]) == 0
    told = json.loads(capsys.readouterr().out)
    (evaluations,) = told["evaluations"].values()
    assert set(evaluations) == {"sums_choice", "multiple_choice"}
    assert evaluations["sums_choice"]["n_items"] == 5
    assert "sums_choice" in (tmp_path / "to" / "report.md").read_text(encoding="utf-8")
