"""A scoring in its folder: what its numbers rest on, what it refuses, and what it goes on from."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from scorings import OTHERS, example, prompts_file, scored
from transformers import AutoModelForCausalLM, AutoTokenizer

from tuneval.errors import ModelError, RunError, TunevalError, UsageError
from tuneval.runs.events import Warned
from tuneval.scoring.config import ScoreConfig, config_from
from tuneval.scoring.score import Meter
from tuneval.scoring.scores import Scores


@pytest.fixture(scope="module")
def many() -> list:
    made = [
        example(f"What is {n} plus {n * 7 % 13}?", f"It is {n + n * 7 % 13}. " * (1 + n % 5))
        for n in range(16)
    ]
    return [*made, *OTHERS, example("Hi", "Hello.", "And?", "It is so.", system="Be brief.")]


def test_scores_do_not_depend_on_batch_size_or_order(tmp_path, small_folder, many):
    plain = scored(tmp_path / "plain", small_folder, many, one_shot="raw")
    by_id = {row.id: row.scores for row in plain.rows}
    for name, examples, budget in (
        ("tiny", many, 1),
        ("odd", many, 333),
        ("reversed", many[::-1], None),
    ):
        found = scored(tmp_path / name, small_folder, examples, one_shot="raw", token_budget=budget)
        assert [row.id for row in found.rows] == [each.id for each in examples]
        for row in found.rows:
            assert row.scores == pytest.approx(by_id[row.id], rel=1e-4, abs=1e-3)


def test_scores_do_not_depend_on_how_many_are_planned_at_once(
    tmp_path, small_folder, many, monkeypatch
):
    import tuneval.scoring.score as module

    plain = scored(tmp_path / "plain", small_folder, many, one_shot="raw")
    monkeypatch.setattr(module, "WINDOW", 4)
    found = scored(tmp_path / "windows", small_folder, many, one_shot="raw")
    for ours, theirs in zip(found.rows, plain.rows, strict=True):
        assert ours.scores == pytest.approx(theirs.scores, rel=1e-4, abs=1e-3)
    rows = (tmp_path / "windows" / "measured.jsonl").read_text().splitlines()[1:]
    keys = [key for row in rows for key, _, _ in json.loads(row)["parts"]]
    assert len(keys) == len(set(keys))


def test_bfloat16_is_close_to_float32_and_no_text_is_more_than_certain(
    tmp_path, small_folder, many
):
    exact, rough = (
        scored(tmp_path / precision, small_folder, many, precision=precision)
        for precision in ("float32", "bfloat16")
    )
    for one, other in zip(exact.rows, rough.rows, strict=True):
        for name in ("response_ppl", "prompt_ppl"):
            assert math.log(other.scores[name]) == pytest.approx(
                math.log(one.scores[name]), abs=0.1
            )
            assert other.scores[name] != one.scores[name]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def test_two_models_score_one_set_in_two_folders(tmp_path, small_folder, small_bos_folder):
    one = scored(tmp_path / "one", small_folder, OTHERS)
    other = scored(tmp_path / "other", small_bos_folder, OTHERS)
    assert one.card["data_hash"] == other.card["data_hash"]
    assert one.card["model_hash"] != other.card["model_hash"]
    assert [row.id for row in one.rows] == [row.id for row in other.rows]
    assert one.rows[0].scores != other.rows[0].scores


@pytest.mark.parametrize("other", ["model", "precision"])
def test_a_folder_with_another_s_scores_is_refused_and_nothing_is_lost(
    tmp_path, small_folder, small_bos_folder, other
):
    scored(tmp_path, small_folder, OTHERS, measures=["ifd"])
    before = contents(tmp_path)
    model = small_bos_folder if other == "model" else small_folder
    more = {"precision": "float64"} if other == "precision" else {}
    with pytest.raises(RunError, match="another model"):
        scored(tmp_path, model, OTHERS, measures=["ifd"], **more)
    assert contents(tmp_path) == before


def test_a_folder_in_work_is_left_to_the_other_process(tmp_path, small_folder):
    program = (
        "import sys\n"
        "from tuneval import files\n"
        "with files.lock(sys.argv[1], timeout_seconds=1.0):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / ".scoring.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(TunevalError, match="Another process"):
            scored(tmp_path, small_folder, OTHERS, measures=["ifd"])
        other.stdin.close()
    assert not (tmp_path / "measured.jsonl").exists()


def test_measures_without_a_model_need_none(tmp_path):
    found = scored(tmp_path, None, OTHERS, measures=["repetition", "language", "format"])
    assert found.card["model"] is None
    assert found.card["work"]["requests"] == 0


def test_measures_of_a_model_say_that_they_need_one(tmp_path):
    with pytest.raises(UsageError, match=r"need a model: response_tokens, ifd\."):
        scored(tmp_path, None, OTHERS, measures=["repetition", "response_tokens", "ifd"])
    assert not (tmp_path / "measured.jsonl").exists()


def test_a_wrong_name_of_a_measure_gives_the_near_one():
    with pytest.raises(UsageError, match=r"'idf'.*did you mean 'ifd'") as caught:
        config_from(measures=("idf", "response_pll", "ifd"))
    assert "response_ppl" in str(caught.value)


def test_finished_scores_are_given_back_without_loading_a_model(
    tmp_path, small_folder, monkeypatch
):
    import tuneval.models.load

    done = scored(tmp_path, small_folder, OTHERS)
    before = contents(tmp_path)

    def loaded(*_, **__):
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(tuneval.models.load, "load_model", loaded)
    monkeypatch.setattr(tuneval.models.load, "load_tokenizer", loaded)
    again = scored(tmp_path, small_folder, OTHERS)
    assert again.rows == done.rows
    assert contents(tmp_path) == before


def test_changed_texts_of_prompts_are_not_taken_for_the_old_ones(tmp_path, small_folder):
    settings = {"measures": ["response_ppl"], "prompts": prompts_file(tmp_path)}
    old = scored(tmp_path / "scores", small_folder, OTHERS, **settings)
    prompts_file(tmp_path, zero_shot_no_input="{history}{instruction}\nAnswer:\n")
    new = scored(tmp_path / "scores", small_folder, OTHERS, **settings)
    assert new.card["prompts_hash"] != old.card["prompts_hash"]
    assert new.rows[0].scores != old.rows[0].scores


def test_an_input_told_apart_later_is_not_taken_for_the_old_record(tmp_path, small_folder):
    one, other = example("Add.\n2 and 3", "It is 5."), example("Add.", "It is 5.", input="2 and 3")
    assert one.id == other.id
    old = scored(tmp_path, small_folder, [one], measures=["prompt_ppl"])
    new = scored(tmp_path, small_folder, [other], measures=["prompt_ppl"])
    assert new.rows[0].scores != old.rows[0].scores


def test_a_changed_task_is_not_taken_for_the_old_one(tmp_path, small_folder):
    settings = {"measures": ["one_shot"], "one_task": False, "task": "t"}
    for tags, codes in ((["a", "a"], set()), (["a", "b"], {"no_peer"})):
        examples = [replace(e, tags={"t": t}) for e, t in zip(OTHERS[:2], tags, strict=True)]
        found = scored(tmp_path, small_folder, examples, **settings)
        assert {code for row in found.rows for code in row.reasons.values()} == codes


def test_scores_that_lost_their_rows_are_made_again_from_what_was_measured(tmp_path, small_folder):
    done = scored(tmp_path, small_folder, OTHERS)
    (tmp_path / "scores.jsonl").unlink()
    again = scored(tmp_path, small_folder, OTHERS)
    assert again.rows == done.rows
    assert again.card["work"]["inputs"] == 0


def test_an_old_card_never_stands_beside_new_rows(tmp_path, small_folder, monkeypatch):
    import tuneval.scoring.score as module

    scored(tmp_path, small_folder, OTHERS, measures=["ifd"])
    real = module.files.write_json

    def killed(path, content):
        if Path(path).name == "scoring.json":
            raise KeyboardInterrupt
        real(path, content)

    monkeypatch.setattr(module.files, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        scored(tmp_path, small_folder, OTHERS, measures=["response_ppl"])
    with pytest.raises(RunError, match="no finished scores"):
        Scores.load(tmp_path)


def test_a_model_trained_anew_in_the_same_place_gets_a_run_of_its_own(tmp_path, small_folder):
    from tuneval.scoring.score_file import ToScore, score_file

    data = tmp_path / "set.jsonl"
    rows = [{"instruction": e.messages[0].content, "output": e.answer} for e in OTHERS]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    folder = tmp_path / "model"
    shutil.copytree(small_folder, folder)
    asked = ToScore(file=str(data), by=Meter(model=str(folder), device="cpu"))
    config = ScoreConfig(measures=("ifd",))
    old = score_file(config, asked, root=tmp_path / "runs")
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        model.model.norm.weight.mul_(1.5)
    model.save_pretrained(folder)
    new = score_file(config, asked, root=tmp_path / "runs")
    assert new.folder != old.folder
    assert new.rows[0].scores != old.rows[0].scores


def test_a_model_that_gives_no_number_is_an_error_and_keeps_nothing(tmp_path, small_folder):
    folder = tmp_path / "model"
    model = AutoModelForCausalLM.from_pretrained(small_folder)
    with torch.no_grad():
        model.model.norm.weight.fill_(float("nan"))
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(small_folder).save_pretrained(folder)
    with pytest.raises(ModelError, match="NaN"):
        scored(tmp_path / "scores", folder, OTHERS)
    kept = (tmp_path / "scores" / "measured.jsonl").read_text().splitlines()
    assert len(kept) == 1
    assert not (tmp_path / "scores" / "scoring.json").exists()


def test_a_damaged_file_of_another_run_is_passed_over_with_a_warning(tmp_path, small_folder):
    first = scored(tmp_path / "first", small_folder, OTHERS, measures=("response_ppl",))
    measured = first.folder / "measured.jsonl"
    measured.write_text(measured.read_text() + '{"parts": [["a"]], "elapsed_seconds": 1}\n')
    told = []
    again = scored(
        tmp_path / "again", small_folder, OTHERS,
        measures=("response_ppl",), earlier=[measured], report=told.append,
    )  # fmt: skip
    assert again.rows == first.rows
    assert again.card["work"]["reused"] == 0
    (warning,) = [event.message for event in told if isinstance(event, Warned)]
    assert "A line of measured parts is damaged" in warning
