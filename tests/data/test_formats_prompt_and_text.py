"""TRL's formats prompt_completion and text."""

from __future__ import annotations

from typing import Any

import pytest
from records import SOURCE, Row, draft, fault, messages

from tuneval.data.example import Example, Message, Text

USER = {"role": "user", "content": "Hi"}
ANSWER = {"role": "assistant", "content": "Hello!"}
WEATHER = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {}}}}
SAYS_HI = (Message("user", "Hi"),)
SAYS_HELLO = (Message("assistant", "Hello!"),)


def test_two_texts_are_a_question_and_an_answer() -> None:
    row = {"prompt": "Hi", "completion": "Hello!"}
    assert messages(row) == (*SAYS_HI, *SAYS_HELLO)


def test_the_loss_covers_the_completion_and_nothing_else() -> None:
    row = {
        "prompt": [{"role": "system", "content": "s"}, USER, ANSWER, USER],
        "completion": [ANSWER, {"role": "tool", "content": "t"}, ANSWER],
    }
    found = messages(row)
    assert [turn.is_trained for turn in found] == [False] * 4 + [True] * 3
    assert [turn.train for turn in found] == [None, None, False, None, None, True, None]


def test_a_turn_may_say_otherwise() -> None:
    row = {
        "prompt": [USER, ANSWER | {"train": True}, USER],
        "completion": [ANSWER | {"weight": 0}],
    }
    assert [turn.train for turn in messages(row)] == [None, True, None, False]


def test_tools_beside_a_prompt_are_read() -> None:
    item = draft({"prompt": [USER], "completion": [ANSWER], "tools": [WEATHER]}).item
    assert isinstance(item, Example)
    assert item.tools == (WEATHER,)


@pytest.mark.parametrize(
    ("row", "rule", "path"),
    [
        ({"prompt": "Hi", "completion": [ANSWER]}, "shape.mixed", "completion"),
        ({"prompt": [USER], "completion": "Hello!"}, "shape.mixed", "completion"),
        ({"prompt": None, "completion": "Hello!"}, "shape.not_text", "prompt"),
        ({"prompt": [USER], "completion": []}, "shape.no_turns", "completion"),
        ({"prompt": [], "completion": [ANSWER]}, "shape.no_turns", "prompt"),
        ({"prompt": [USER], "completion": None}, "shape.not_list", "completion"),
        ({"prompt": ["Hi"], "completion": [ANSWER]}, "shape.not_object", "prompt[0]"),
    ],
)
def test_a_faulty_side_is_named(row: Row, rule: str, path: str) -> None:
    assert fault(row)[:2] == (rule, path)


def test_a_text_is_a_text() -> None:
    made = draft({"text": "Once upon a time.", "group": "tales", "url": "x"})
    assert made.item == Text("Once upon a time.", SOURCE, "tales")
    assert made.unused_keys == ("url",)
    assert made.conversations == ()


@pytest.mark.parametrize("text", [None, 5, ["x"], {}])
def test_a_text_that_is_none_is_named(text: Any) -> None:
    assert fault({"text": text})[:2] == ("shape.not_text", "text")
