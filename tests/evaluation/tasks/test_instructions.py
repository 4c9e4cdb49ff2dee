"""The task of checkable instructions: its items, its file, its four figures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tuneval.errors import DataError
from tuneval.evaluation.account import account_for
from tuneval.evaluation.instructions.checks import CHECKS
from tuneval.evaluation.instructions.follow import followed
from tuneval.evaluation.instructions.items import bundled_requests
from tuneval.evaluation.items import Item
from tuneval.evaluation.tasks import task_from
from tuneval.statistics.proportion import wilson

REQUESTS = bundled_requests()


@pytest.mark.parametrize("request_", REQUESTS, ids=[request.key for request in REQUESTS])
def test_each_request_can_be_followed_and_is_not_followed_by_most_other_answers(request_) -> None:
    assert followed(request_.example, request_.instructions) == [True] * len(request_.instructions)
    others = [
        all(followed(other.example, request_.instructions))  # type: ignore[arg-type]
        for other in REQUESTS
        if other is not request_
    ]
    assert sum(others) < len(others) / 2


def test_both_languages_and_every_instruction_are_asked() -> None:
    assert len({request.key for request in REQUESTS}) == len(REQUESTS) >= 60
    for language in ("en", "zh"):
        assert sum(request.language == language for request in REQUESTS) >= 30
    asked = {instruction["id"] for request in REQUESTS for instruction in request.instructions}
    assert asked == set(CHECKS)


def test_requests_are_asked_as_turns_or_as_text() -> None:
    chat = task_from({"kind": "instructions"}).load()
    assert chat.protocol == "instructions/tuneval/0-shot/chat"
    assert not isinstance(chat.questions[0].prompt, str)
    assert chat.questions[0].prompt[0].content == REQUESTS[0].prompt
    plain = task_from({"kind": "instructions", "protocol": "plain", "language": "zh"}).load()
    assert plain.questions[0].prompt == next(r.prompt for r in REQUESTS if r.language == "zh")
    assert {question.tags["language"] for question in plain.questions} == {"zh"}


def test_a_file_in_ifevals_layout_is_asked_as_it_is(tmp_path: Path) -> None:
    row = {
        "key": 1000,
        "prompt": "Say it without commas in at least 3 words.",
        "instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"],
        "kwargs": [{"num_words": None}, {"relation": "at least", "num_words": 3}],
    }
    path = tmp_path / "input_data.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    asked = task_from({"kind": "instructions", "path": str(path)}).load()
    (question,) = asked.questions
    assert question.id == "1000"
    assert asked.protocol == "instructions/ifeval/0-shot/chat"
    assert question.fields["instructions"] == [
        {"id": "punctuation:no_comma"},
        {"id": "length_constraints:number_words", "relation": "at least", "num_words": 3},
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "x"},
        {"prompt": "x", "instruction_id_list": ["punctuation:no_comma"], "kwargs": []},
        {"prompt": "x", "instruction_id_list": ["punctuation:comma"], "kwargs": [{}]},
    ],
)
def test_a_broken_row_is_refused_with_its_place(tmp_path: Path, row: dict[str, object]) -> None:
    path = tmp_path / "input_data.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        task_from({"kind": "instructions", "path": str(path)}).load()
    assert caught.value.where.endswith("input_data.jsonl:1")
    with pytest.raises(DataError):
        task_from({"kind": "instructions", "path": str(tmp_path / "none.jsonl")}).load()


def _answered(predict: str | None) -> Item:
    instructions = [
        {"id": "punctuation:no_comma"},
        {"id": "keywords:existence", "keywords": ["map"]},
        {"id": "detectable_format:json_format"},
    ]
    fields = {"instructions": instructions}
    return Item(predict or "none", "f:1", None, {}, "q", None, predict, fields=fields)


def test_the_four_figures_of_a_worked_example() -> None:
    items = [
        _answered('["map"]'),  # all three
        _answered('Sure:\n["map"]'),  # loosely all three, strictly two
        _answered("a, b"),  # none
    ]
    alone = {"instructions": [{"id": "keywords:existence", "keywords": ["b"]}]}
    share = account_for([*items, replace(items[2], fields=alone)], "inst_level_strict_acc", seed=1)
    assert share.estimate is not None
    assert share.estimate.value == pytest.approx(6 / 10)
    values = {}
    for name in ("prompt_level", "inst_level"):
        for kind in ("strict", "loose"):
            estimate = account_for(items, f"{name}_{kind}_acc", seed=17).estimate
            assert estimate is not None
            values[name, kind] = estimate
    assert values["prompt_level", "strict"].value == pytest.approx(1 / 3)
    assert values["prompt_level", "loose"].value == pytest.approx(2 / 3)
    assert values["inst_level", "strict"].value == pytest.approx(5 / 9)
    assert values["inst_level", "loose"].value == pytest.approx(6 / 9)
    assert values["prompt_level", "strict"].low == pytest.approx(wilson(1, 3).low)
    assert values["inst_level", "strict"].n == 3


def test_what_cannot_be_checked_is_unscored_with_its_reason() -> None:
    spanish = {"id": "language:response_language", "language": "es"}
    items = [
        _answered(None),
        replace(_answered("x"), fields={}),
        replace(_answered("y"), fields={"instructions": [spanish]}),
    ]
    for metric in ("prompt_level_strict_acc", "inst_level_loose_acc"):
        result = account_for(items, metric, seed=17)
        assert result.estimate is None
        assert sum(result.unscored.values()) == 3
        assert any("'es'" in reason for reason in result.unscored)
