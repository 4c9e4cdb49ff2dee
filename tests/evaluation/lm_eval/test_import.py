"""Results that lm-evaluation-harness left in a folder become evaluations that can be compared."""

from __future__ import annotations

import hashlib
import json

import pytest

from tuneval.cli.main import main
from tuneval.errors import DataError, RunError
from tuneval.evaluation.comparing.compare import compare_folders
from tuneval.evaluation.items import read_items
from tuneval.evaluation.lm_eval.bring import import_results

TIME = "2026-01-31T14-30-00.123456"
LATER = "2026-02-01T09-00-00.654321"


def choice_row(number, logprobs, target, *, choices=(" A", " B", " C"), place, **more):
    """A row of `samples_….jsonl`, as lm-eval 0.4 writes it."""
    best = max(range(len(logprobs)), key=logprobs.__getitem__)
    return {
        "doc_id": number,
        "doc": {"question": f"q{number}"},
        "target": str(target),
        "arguments": {
            f"gen_args_{n}": {"arg_0": f"q{number}", "arg_1": text}
            for n, text in enumerate(choices)
        },
        "resps": [[[str(value), "False"]] for value in logprobs],
        "filtered_resps": [[str(value), "False"] for value in logprobs],
        "filter": "none",
        "metrics": ["acc"],
        "doc_hash": f"{number:064x}"[::-1],
        "prompt_hash": "p",
        "target_hash": "t",
        "acc": float(best == place),
    } | more


def leave(folder, task, rows, figures, *, time=TIME, model="owner/model", **told):
    """What lm-eval leaves of one task of one model."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"results_{time}.json"
    content = json.loads(path.read_text()) if path.exists() else {"results": {}}
    content["results"][task] = {"alias": task, **figures}
    content |= {
        "config": {"model": "hf", "model_args": f"pretrained={model}", "limit": None},
        "model_name": model,
        "lm_eval_version": "0.4.13",
        "total_evaluation_time_seconds": "12.5",
        "n-shot": {task: 5},
        "versions": {task: 1.0},
    } | told
    path.write_text(json.dumps(content), encoding="utf-8")
    samples = folder / f"samples_{task}_{time}.jsonl"
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


LOGPROBS = [(-1.0, -2.0, -3.0), (-3.0, -0.5, -2.0), (-2.0, -1.0, -1.5), (-1.0, -4.0, -0.5)]
PLACES = [0, 1, 2, 2]


def four(**more):
    rows = zip(LOGPROBS, PLACES, strict=True)
    return [choice_row(n, lp, place, place=place, **more) for n, (lp, place) in enumerate(rows)]


def test_a_multiple_choice_task_has_its_choices_and_both_accuracies(tmp_path):
    leave(tmp_path / "out" / "owner__model", "cmmlu_law", four(), {"acc,none": 0.75})
    (one,) = import_results(tmp_path / "out", to=tmp_path / "to")
    assert one.folder == tmp_path / "to" / "model" / "cmmlu_law"
    assert one.result.model == "owner/model"
    assert one.result.config["shots"] == 5
    for name in ("lm_eval:acc", "choice_accuracy"):
        estimate = one.result.metrics[name].estimate
        assert (estimate.value, estimate.n, estimate.method) == (0.75, 4, "Wilson")
    items = read_items(one.folder)
    assert [item.chosen.gold for item in items] == [(0,), (1,), (2,), (2,)]
    assert items[1].chosen.logprobs == LOGPROBS[1]
    assert items[1].label == "B"
    assert items[1].id == "1-100000000000"


def test_targets_that_are_texts_are_read_as_texts_where_only_that_agrees(tmp_path):
    # "1" is the second choice or the choice "1", which is the first: `acc` tells.
    rows = [
        choice_row(0, (-1.0, -2.0), "1", choices=(" 1", " 0"), place=0),
        choice_row(1, (-1.0, -2.0), "0", choices=(" 1", " 0"), place=1),
        choice_row(2, (-2.0, -1.0), "0", choices=(" 1", " 0"), place=1),
    ]
    leave(tmp_path / "m", "yes_no", rows, {"acc,none": 2 / 3})
    (one,) = import_results(tmp_path, to=tmp_path / "to")
    assert [item.chosen.gold for item in read_items(one.folder)] == [(0,), (1,), (1,)]
    assert one.result.metrics["choice_accuracy"].estimate.value == pytest.approx(2 / 3)


def test_targets_that_agree_with_nothing_leave_the_right_choice_open(tmp_path):
    rows = [row | {"acc": 1.0 - row["acc"]} for row in four()]
    leave(tmp_path / "m", "odd", rows, {"acc,none": 0.25})
    (one,) = import_results(tmp_path, to=tmp_path / "to")
    assert all(item.chosen.gold == () for item in read_items(one.folder))
    assert set(one.result.metrics) == {"lm_eval:acc"}


def test_requests_without_the_question_are_no_choices(tmp_path):
    rows = four()
    for row in rows:
        row["arguments"] |= {"gen_args_3": {"arg_0": "", "arg_1": " A"}}
        row["resps"].append([["-9.0", "False"]])
    leave(tmp_path / "m", "mutual", rows, {"acc,none": 0.75})
    (one,) = import_results(tmp_path, to=tmp_path / "to")
    assert all(len(item.chosen.choices) == 3 for item in read_items(one.folder))


def test_rows_of_two_filters_are_one_item(tmp_path):
    common = {
        "doc_id": 0, "target": "5", "arguments": {"gen_args_0": {"arg_0": "2+3", "arg_1": {}}},
        "resps": [["It is 5."]], "metrics": ["exact_match"], "doc_hash": "ab",
    }  # fmt: skip
    rows = [
        {**common, "filter": "strict-match", "filtered_resps": ["[invalid]"], "exact_match": 0.0},
        {**common, "filter": "flexible-extract", "filtered_resps": ["5"], "exact_match": 1.0},
    ]
    figures = {"exact_match,strict-match": 0.0, "exact_match,flexible-extract": 1.0}
    leave(tmp_path / "m", "gsm8k", rows, figures)
    (one,) = import_results(tmp_path, to=tmp_path / "to")
    (item,) = read_items(one.folder)
    assert item.predict == "It is 5."
    assert item.extracted == {"strict": None, "lenient": "5"}
    assert item.grades == {
        "lm_eval:exact_match,strict-match": 0.0,
        "lm_eval:exact_match,flexible-extract": 1.0,
    }


def test_a_figure_that_its_grades_do_not_come_to_is_left_out_and_told(tmp_path):
    leave(tmp_path / "m", "law", four(), {"acc,none": 0.8})
    (one,) = import_results(tmp_path, to=tmp_path / "to")
    assert "lm_eval:acc" not in one.result.metrics
    assert any("acc (none) is 0.8 in lm-eval" in note for note in one.result.notes)


def test_less_is_better_where_lm_eval_says_so(tmp_path):
    rows = [row | {"metrics": ["wer"], "wer": n / 4} for n, row in enumerate(four())]
    told = {"higher_is_better": {"speech": {"wer": False}}}
    leave(tmp_path / "a", "speech", rows, {"wer,none": 0.375}, model="a", **told)
    better = [row | {"wer": 0.0} for row in rows]
    leave(tmp_path / "b", "speech", better, {"wer,none": 0.0}, model="b", **told)
    a, b = import_results(tmp_path, to=tmp_path / "to")
    found = compare_folders(a.folder, b.folder)
    row = found.row("lm_eval_loss:wer")
    assert (row.n_improved, row.n_worsened, row.n_equal) == (3, 0, 1)


def test_of_a_task_asked_twice_the_newest_counts(tmp_path):
    leave(tmp_path / "m", "law", four(), {"acc,none": 0.75})
    right = [choice_row(n, LOGPROBS[0], 0, place=0) for n in range(4)]
    leave(tmp_path / "m", "law", right, {"acc,none": 1.0}, time=LATER)
    (one,) = import_results(tmp_path, to=tmp_path / "to")
    assert one.result.metrics["lm_eval:acc"].estimate.value == 1.0


def test_two_models_of_one_name_are_told_apart(tmp_path):
    for folder in ("a__model", "b__model"):
        leave(tmp_path / "out" / folder, "law", four(), {"acc,none": 0.75}, model=folder)
    found = import_results(tmp_path / "out", to=tmp_path / "to")
    assert [one.folder.parent.name for one in found] == ["model", "model-2"]


def test_importing_again_changes_nothing_and_never_replaces_other_work(tmp_path):
    leave(tmp_path / "out", "law", four(), {"acc,none": 0.75})
    (one,) = import_results(tmp_path / "out", to=tmp_path / "to")
    before = (one.folder / "result.json").read_bytes()
    import_results(tmp_path / "out", to=tmp_path / "to")
    assert (one.folder / "result.json").read_bytes() == before
    leave(tmp_path / "out", "law", four()[:2], {"acc,none": 1.0}, time=LATER)
    with pytest.raises(RunError, match="holds another evaluation"):
        import_results(tmp_path / "out", to=tmp_path / "to")


def without(rows, *keys):
    return [{key: value for key, value in row.items() if key not in keys} for row in rows]


def test_files_of_before_version_0_4_3_are_read(tmp_path):
    """`results.json`, and beside it a JSON array for each task, called by the model too."""
    rows = without(four(), "metrics", "filter", "doc_hash", "prompt_hash", "target_hash")
    for row in rows:
        row["arguments"] = [[one["arg_0"], one["arg_1"]] for one in row["arguments"].values()]
        row["resps"] = [[[float(nats), False]] for [[nats, _]] in row["resps"]]
    folder = tmp_path / "out"
    folder.mkdir()
    config = {"model": "hf", "model_args": "pretrained=owner/model,dtype=float32"}
    told = {"results": {"law": {"acc,none": 0.75, "acc_stderr,none": 0.1, "alias": "law"}}}
    (folder / "results.json").write_text(json.dumps({**told, "config": config}))
    name = "pretrained__owner__model,dtype__float32_law.jsonl"
    (folder / name).write_text(json.dumps(rows, indent=2))
    (one,) = import_results(folder, to=tmp_path / "to")
    assert one.folder == tmp_path / "to" / "model" / "law"
    assert one.result.model == "owner/model"
    assert one.result.metrics["lm_eval:acc"].estimate.value == 0.75
    assert one.result.metrics["choice_accuracy"].estimate.value == 0.75
    items = read_items(one.folder)
    assert [item.chosen.logprobs for item in items] == LOGPROBS
    document = json.dumps({"question": "q0"}, indent=2)
    assert items[0].id == f"0-{hashlib.sha256(document.encode()).hexdigest()[:12]}"


def test_two_results_files_of_the_old_layout_in_one_folder_are_two_models(tmp_path):
    rows = without(four(), "metrics", "filter")
    for model in ("a", "b"):
        config = {"model_args": f"pretrained={model}"}
        told = {"results": {"law": {"acc,none": 0.75}}, "config": config}
        (tmp_path / f"{model}.json").write_text(json.dumps(told))
        (tmp_path / f"pretrained__{model}_law.jsonl").write_text(json.dumps(rows))
    (tmp_path / "other.json").write_text("[1]")
    found = import_results(tmp_path, to=tmp_path / "to")
    assert [one.folder.parent.name for one in found] == ["a", "b"]


def test_rows_that_do_not_name_their_filter_have_it_from_the_figures(tmp_path):
    common = {"doc_id": 0, "target": "5", "arguments": [["2+3", {}]], "resps": [["It is 5."]]}
    rows = [
        {**common, "filtered_resps": ["[invalid]"], "exact_match": 0.0},
        {**common, "filtered_resps": ["5"], "exact_match": 1.0},
    ]
    figures = {"exact_match,strict-match": 0.0, "exact_match_stderr,strict-match": "N/A",
               "exact_match,flexible-extract": 1.0}  # fmt: skip
    leave(tmp_path / "m", "gsm8k", rows, figures)
    (one,) = import_results(tmp_path, to=tmp_path / "to")
    (item,) = read_items(one.folder)
    assert item.extracted == {"strict": None, "lenient": "5"}
    assert set(one.result.metrics) == {
        "lm_eval:exact_match,strict-match", "lm_eval:exact_match,flexible-extract",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("leaves", "said"),
    [
        ({}, "no results of lm-eval"),
        ({f"results_{TIME}.json": '{"results": {}}'}, "but not the answers"),
        (
            {f"results_{TIME}.json": "{}", f"samples_t_{TIME}.jsonl": "{}"},
            "no results file of lm-eval",
        ),
        (
            {f"results_{TIME}.json": '{"results": {}}', f"samples_t_{TIME}.jsonl": '{"a": 1}'},
            "has no doc_id",
        ),
        ({f"results_{TIME}.json": '{"results": {}}', f"samples_t_{TIME}.jsonl": ""}, "no answers"),
    ],
)
def test_what_is_none_of_lm_evals_is_refused(leaves, said, tmp_path):
    for name, content in leaves.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=said):
        import_results(tmp_path, to=tmp_path / "to")


def test_the_command_imports_what_compare_takes(tmp_path, capsys):
    leave(tmp_path / "out" / "a", "law", four(), {"acc,none": 0.75}, model="a")
    leave(tmp_path / "out" / "b", "law", four(), {"acc,none": 0.75}, model="b")
    assert main(["import", "lm-eval", str(tmp_path / "out"), "--to", str(tmp_path / "to")]) == 0
    assert "b/law: 4 items" in capsys.readouterr().out
    words = ["compare", str(tmp_path / "to" / "a" / "law"), str(tmp_path / "to" / "b" / "law")]
    assert main(words) == 0
    assert "lm_eval:acc" in capsys.readouterr().out
