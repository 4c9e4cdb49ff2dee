from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tuneval.errors import DataError
from tuneval.evaluation.asking.turns import rounds
from tuneval.evaluation.items import Item
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.question import Question
from tuneval.evaluation.tasks import task_from

QUESTIONS = [
    {"question_id": 81, "category": "writing", "turns": ["Write.", "Shorten it."]},
    {"question_id": 111, "category": "math", "turns": ["1+1?", "And 2?"], "reference": ["2", "3"]},
]
GPT_4 = {"question_id": 111, "choices": [{"index": 0, "turns": ["two", "three"]}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = "".join(json.dumps(row) + "\n" for row in QUESTIONS)
    (tmp_path / "question.jsonl").write_text(lines)
    return tmp_path


def load(path: Path, **options: object):
    return task_from({"kind": "mt_bench", "path": str(path), **options}).load()


def item(question: Question, predict: str | None) -> Item:
    return Item(
        question.id, question.source, question.group, question.tags, question.asked,
        None, predict, fields=question.fields,
    )  # fmt: skip


def test_second_turns_follow_the_first_and_categories_have_their_temperatures(folder) -> None:
    asked = load(folder)

    assert [[q.id for q in part] for part in rounds(asked.questions)] == [
        ["81/1", "111/1"],
        ["81/2", "111/2"],
    ]
    assert [q.temperature for q in asked.questions] == [0.7, 0.7, 0.0, 0.0]
    assert {q.max_new_tokens for q in asked.questions} == {1024}
    assert [q.group for q in asked.questions] == ["81", "81", "111", "111"]
    assert asked.strata == "category"


def test_a_category_nobody_knows_has_fastchats_temperature_and_greedy_has_none(folder) -> None:
    (folder / "question.jsonl").write_text(json.dumps(QUESTIONS[0] | {"category": "cooking"}))

    assert load(folder).questions[0].temperature == 0.7
    assert load(folder, protocol="greedy").questions[0].temperature == 0.0


def test_first_turns_can_be_asked_alone(folder) -> None:
    asked = load(folder / "question.jsonl", turns="first")

    assert [q.id for q in asked.questions] == ["81/1", "111/1"]
    assert asked.protocol == "mt_bench/official/first"


def test_reference_answers_are_kept_for_the_judge(folder) -> None:
    assert [q.fields.get("judge_reference") for q in load(folder).questions] == [
        None, None, "2", "3",
    ]  # fmt: skip

    (folder / "reference_answer").mkdir()
    (folder / "reference_answer" / "gpt-4.jsonl").write_text(json.dumps(GPT_4))
    asked = load(folder)
    assert asked.questions[3].fields == {"judge_reference": "three"}
    assert all(q.reference is None for q in asked.questions)


def test_answers_are_left_as_fastchat_reads_them(folder, tmp_path) -> None:
    asked = load(folder)
    answers = ["a story", "shorter", "2", None]
    items = [item(q, said) for q, said in zip(asked.questions, answers, strict=True)]
    changed = replace(items[0], id="81/1~typos", predict="x", fields={"perturbation": "typos"})
    task = task_from({"kind": "mt_bench", "path": str(folder)})

    task.leave(tmp_path / "out", [items[1], items[0], changed, *items[2:]], model="org/tiny llama")

    path = tmp_path / "out" / "model_answer" / "org_tiny_llama.jsonl"
    (row,) = map(json.loads, path.read_text().splitlines())
    assert row["question_id"] == 81
    assert row["model_id"] == "org_tiny_llama"
    assert row["choices"] == [{"index": 0, "turns": ["a story", "shorter"]}]
    assert {"answer_id", "tstamp"} <= row.keys()


def test_its_items_wait_for_a_judge(folder) -> None:
    asked = load(folder)
    (name,) = asked.metrics

    assert load_metric(name).missing(item(asked.questions[0], "a")) == (
        "a judge or a person decides"
    )


def test_turns_that_are_no_texts_are_told(folder) -> None:
    (folder / "question.jsonl").write_text(json.dumps(QUESTIONS[0] | {"turns": "Write."}))

    with pytest.raises(DataError, match="'turns' is no list of texts"):
        load(folder)


def test_the_real_files_give_eighty_conversations() -> None:
    data = os.environ.get("TUNEVAL_TEST_DATA")
    if not data:
        pytest.skip("TUNEVAL_TEST_DATA does not name a folder of real data files")
    asked = load(Path(data) / "mt_bench")
    categories = [q.tags["category"] for q in asked.questions]

    assert len(asked.questions) == 160
    assert {categories.count(name) for name in categories} == {20}
    with_reference = {int(q.group or 0) for q in asked.questions if q.fields}
    assert with_reference >= set(range(101, 131))  # the thirty that GPT-4 answered
    overtaken = next(q for q in asked.questions if q.id == "101/2")
    assert overtaken.fields["judge_reference"].startswith("If you have just overtaken the last")
