"""The format kto, in the shapes of TRL and LLaMA-Factory."""

from __future__ import annotations

from typing import Any

import pytest
from records import Row, draft, fault

from tuneval.data.example import Message, UnpairedPreference

USER = {"role": "user", "content": "Hi"}
ANSWER = {"role": "assistant", "content": "Hello!"}
HUMAN = {"from": "human", "value": "Hi"}
GPT = {"from": "gpt", "value": "Hello!"}
WEATHER = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {}}}}
SAYS_HI = (Message("user", "Hi"),)
SAYS_HELLO = (Message("assistant", "Hello!"),)
SHAPES: dict[str, Row] = {
    "trl, texts": {"prompt": "Hi", "completion": "Hello!"},
    "trl, lists": {"prompt": [USER], "completion": [ANSWER]},
    "llamafactory, sharegpt": {"conversations": [HUMAN, GPT]},
    "llamafactory, messages": {"messages": [USER, ANSWER]},
    "llamafactory, alpaca": {"instruction": "Hi", "input": "", "output": "Hello!"},
}


def unpaired(row: Row) -> UnpairedPreference:
    """The item of a sound record that is found to be an unpaired preference."""
    made = draft(row)
    assert made.findings == ()
    assert isinstance(made.item, UnpairedPreference)
    return made.item


@pytest.mark.parametrize("label", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_says_the_same(shape: str, label: bool) -> None:
    item = unpaired(SHAPES[shape] | {"kto_tag": label, "tools": [WEATHER]})
    assert (item.prompt, item.completion, item.label) == (SAYS_HI, SAYS_HELLO, label)
    assert item.tools == (WEATHER,)


@pytest.mark.parametrize("shape", [name for name in SHAPES if "alpaca" not in name])
def test_the_label_may_be_called_label(shape: str) -> None:
    assert unpaired(SHAPES[shape] | {"label": False}).label is False


def test_the_last_turn_alone_is_the_completion() -> None:
    turns = [{"from": "system", "value": "s"}, HUMAN, GPT, HUMAN, GPT]
    item = unpaired({"conversations": turns, "label": True})
    assert [turn.role for turn in item.prompt] == ["system", "user", "assistant", "user"]
    assert item.completion == SAYS_HELLO


@pytest.mark.parametrize(("word", "label"), [("true", True), ("False", False)])
def test_a_table_may_have_the_label_as_a_word(word: str, label: bool) -> None:
    assert unpaired(SHAPES["trl, texts"] | {"label": word}).label is label


def test_extra_columns_of_another_shape_are_named() -> None:
    row = SHAPES["trl, texts"] | {"label": True, "messages": [USER, ANSWER]}
    assert unpaired(row).prompt == SAYS_HI
    assert draft(row).unused_keys == ("messages",)
    row = {"messages": [USER, ANSWER], "label": True, "prompt": "Hi"}
    assert unpaired(row).prompt == SAYS_HI
    assert draft(row).unused_keys == ("prompt",)


@pytest.mark.parametrize("label", [1, 0, "yes", "", [], {}, 0.5])
def test_another_label_is_named(label: Any) -> None:
    rule, path, what = fault(SHAPES["trl, texts"] | {"label": label})
    assert (rule, path) == ("shape.label", "label")
    assert "not true or false" in what


@pytest.mark.parametrize(
    ("row", "rule", "path"),
    [
        ({"label": None}, "shape.no_label", "label"),
        ({"label": True, "kto_tag": False}, "shape.label", "label"),
        ({"label": True, "prompt": [USER]}, "shape.mixed", "completion"),
        ({"label": True, "completion": 5}, "shape.not_text", "completion"),
    ],
)
def test_a_faulty_record_is_named(row: Row, rule: str, path: str) -> None:
    assert fault(SHAPES["trl, texts"] | row)[:2] == (rule, path)


@pytest.mark.parametrize("row", [{"conversations": [GPT]}, {"messages": [ANSWER]}])
def test_one_turn_has_no_prompt(row: Row) -> None:
    assert fault(row | {"kto_tag": True})[0] == "shape.no_prompt"


def test_no_known_shape_asks_for_trls() -> None:
    made = draft({"label": True}, "kto")
    assert {finding.path for finding in made.findings} == {"prompt", "completion"}
