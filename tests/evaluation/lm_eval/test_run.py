"""lm-eval's tasks asked of our models: the figures of its own model, and evaluations of ours."""

from __future__ import annotations

import json
import warnings

import pytest

pytest.importorskip("lm_eval")

from tuneval import files
from tuneval.cli.main import main
from tuneval.errors import RunError, UsageError
from tuneval.evaluation.comparing.compare import compare_folders
from tuneval.evaluation.items import read_items
from tuneval.evaluation.lm_eval.run import LmEvalConfig, run_lm_eval

TASKS = ("sums_choice", "sums_last_word", "sums_text", "sums_written")
# Importing lm-eval and its own model takes longer than all the answers.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def config(tiny_llama_folder, task_folder):
    return LmEvalConfig(tasks=TASKS, model=str(tiny_llama_folder), include=task_folder, shots=2)


@pytest.fixture(scope="module")
def folder(config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lm_eval_run")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_lm_eval(config, folder=folder)
    return folder


@pytest.fixture(scope="module")
def theirs(tiny_llama_folder, task_folder):
    """What lm-eval's own "hf" model comes to."""
    import lm_eval
    from lm_eval.tasks import TaskManager

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return lm_eval.simple_evaluate(
            model="hf",
            model_args={"pretrained": str(tiny_llama_folder), "dtype": "float32"},
            device="cpu",
            batch_size=3,
            tasks=list(TASKS),
            num_fewshot=2,
            bootstrap_iters=0,
            task_manager=TaskManager(include_path=task_folder),
            random_seed=17,
            fewshot_random_seed=17,
        )


def test_every_answer_is_that_of_lm_evals_own_model(folder, theirs):
    for task in TASKS:
        (path,) = (folder / "lm-eval").glob(f"*/samples_{task}_*.jsonl")
        ours = files.read_jsonl(path)
        assert len(ours) == len(theirs["samples"][task]) > 0
        for one, other in zip(ours, theirs["samples"][task], strict=True):
            assert one["prompt_hash"] == other["prompt_hash"]
            for said, wanted in zip(one["resps"], other["resps"], strict=True):
                assert_same(said[0], wanted[0])


def assert_same(said, wanted):
    if isinstance(wanted, str):
        assert said == wanted
    elif isinstance(wanted, float):
        assert float(said) == pytest.approx(wanted, abs=1e-4)
    else:
        assert float(said[0]) == pytest.approx(wanted[0], abs=1e-4)
        assert said[1] == str(wanted[1])


def test_figures_are_those_that_lm_eval_tells(folder, theirs, tiny_llama_folder):
    home = folder / tiny_llama_folder.name
    wanted = {
        "sums_choice": {"lm_eval:acc": "acc,none", "lm_eval:acc_norm": "acc_norm,none"},
        "sums_last_word": {"lm_eval_loss:perplexity": "perplexity,none", "lm_eval:acc": "acc,none"},
        "sums_text": {
            f"lm_eval_loss:{name}": f"{name},none"
            for name in ("word_perplexity", "byte_perplexity", "bits_per_byte")
        },
        "sums_written": {
            f"lm_eval:exact_match,{name}": f"exact_match,{name}"
            for name in ("strict-match", "flexible-extract")
        },
    }
    for task, metrics in wanted.items():
        told = files.read_json(home / task / "result.json")
        for ours, name in metrics.items():
            value = told["metrics"][ours]["estimate"]["value"]
            assert value == pytest.approx(theirs["results"][task][name], rel=1e-5), ours


def test_a_figure_that_is_no_mean_of_grades_is_left_out_and_told(folder, tiny_llama_folder):
    told = files.read_json(folder / tiny_llama_folder.name / "sums_choice" / "result.json")
    assert not any("mcc" in name for name in told["metrics"])
    assert any(note.startswith("mcc (none) is ") for note in told["notes"])


def test_choices_are_ours_too(folder, tiny_llama_folder):
    items = read_items(folder / tiny_llama_folder.name / "sums_choice")
    assert [len(item.chosen.choices) for item in items[:4]] == [2, 3, 4, 2]
    for item in items:
        (gold,) = item.chosen.gold
        assert gold == len(item.chosen.choices) - 1
        right = float(item.chosen.best == gold)
        assert item.grades["lm_eval:acc"] == item.fields["lm_eval"]["acc"] == right
    told = files.read_json(folder / tiny_llama_folder.name / "sums_choice" / "result.json")
    both = [
        told["metrics"][name]["estimate"]["value"] for name in ("choice_accuracy", "lm_eval:acc")
    ]
    assert both[0] == both[1]


def test_what_is_written_is_read_by_both_filters(folder, tiny_llama_folder):
    items = read_items(folder / tiny_llama_folder.name / "sums_written")
    assert len(items) == 12
    assert all(set(item.extracted) == {"strict", "lenient"} for item in items)
    assert all(item.predict is not None and "\n" not in item.predict for item in items)


def test_a_finished_run_is_given_back_and_other_work_refused(config, folder, monkeypatch):
    monkeypatch.setattr("tuneval.evaluation.lm_eval.run._ask", None)
    assert [one.result.name for one in run_lm_eval(config, folder=folder)] == [
        f"tiny-llama/{task}" for task in TASKS
    ]
    with pytest.raises(RunError, match="their shots is 2, not 3"):
        run_lm_eval(config.model_copy(update={"shots": 3}), folder=folder)


def test_a_killed_run_goes_on_from_its_answers(config, tmp_path, monkeypatch, folder):
    from tuneval.evaluation.lm_eval import model as ours

    real, asked = ours.generate, []

    def dies(model, prompts, **more):
        def keep(index, completion):
            asked.append(index)
            more["on_done"](index, completion)
            if len(asked) == 5:
                raise KeyboardInterrupt

        return real(model, prompts, **{**more, "on_done": keep})

    written = config.model_copy(update={"tasks": ("sums_written",)})
    monkeypatch.setattr(ours, "generate", dies)
    with pytest.raises(KeyboardInterrupt):
        run_lm_eval(written, folder=tmp_path)
    (one,) = run_lm_eval(written, folder=tmp_path)
    assert len(asked) == 12  # 5 before, and the other 7
    undisturbed = read_items(folder / "tiny-llama" / "sums_written")
    assert [item.predict for item in read_items(one.folder)] == [i.predict for i in undisturbed]


def test_two_models_are_compared_item_by_item(config, folder, tmp_path, tiny_llama_folder):
    fewer = config.model_copy(update={"tasks": ("sums_choice",), "shots": 0})
    (one,) = run_lm_eval(fewer, folder=tmp_path)
    found = compare_folders(folder / tiny_llama_folder.name / "sums_choice", one.folder)
    assert found.n_items == 12
    assert found.row("lm_eval:acc").test.startswith("McNemar")


def test_a_task_that_lm_eval_has_not_is_answered_with_the_near_one(config, tmp_path):
    wrong = config.model_copy(update={"tasks": ("sums_choise",)})
    with pytest.raises(UsageError, match="no task called 'sums_choise'") as caught:
        run_lm_eval(wrong, folder=tmp_path)
    assert "sums_choice" in caught.value.mend


def test_the_command_asks_and_shows(tiny_llama_folder, task_folder, tmp_path, capsys):
    words = ["evaluate", "lm-eval", "sums_choice", "--model", str(tiny_llama_folder)]
    more = ["--include", str(task_folder), "--to", str(tmp_path), "--limit", "3", "--chat"]
    assert main([*words, *more, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["evaluations"]
    assert found["n_items"] == 3
    assert found["template"] == "its own"
    assert main([*words, *more]) == 0
    assert "lm_eval:acc" in capsys.readouterr().out
