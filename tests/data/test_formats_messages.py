"""The format messages, tools included."""

from __future__ import annotations

import json
from typing import Any

import pytest
from records import Row, draft, fault, messages

from tuneval.data.example import Example, Message, ToolCall

USER = {"role": "user", "content": "Hi"}
ANSWER = {"role": "assistant", "content": "Hello!"}
WEATHER = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {}}}}


def test_calls_and_answers_of_tools_are_read() -> None:
    function = {"name": "weather", "arguments": '{"city": "Oslo"}'}
    row = {
        "messages": [
            USER,
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "call_1", "type": "function", "function": function}
            ]},
            {"role": "tool", "tool_call_id": "call_1", "name": "weather", "content": "rain"},
            ANSWER,
        ],
        "tools": [{"type": "function", "function": WEATHER}],
    }  # fmt: skip
    call = ToolCall("weather", '{"city": "Oslo"}', "call_1")
    assert messages(row) == (
        Message("user", "Hi"),
        Message("assistant", "", tool_calls=(call,)),
        Message("tool", "rain", tool_call_id="call_1", name="weather"),
        Message("assistant", "Hello!"),
    )
    item = draft(row).item
    assert isinstance(item, Example)
    assert item.tools == ({"type": "function", "function": WEATHER},)


def test_arguments_are_the_same_as_object_and_as_text() -> None:
    both = [{"city": "Zürich", "days": [1, 2.5]}, '{"city":"Zürich",\n"days":[1,2.5]}']
    made = [
        messages({"messages": [
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": a}}]}
        ]})
        for a in both
    ]  # fmt: skip
    assert made[0] == made[1]


def test_openais_older_function_call_is_a_tool_call() -> None:
    row = {
        "messages": [
            USER,
            {
                "role": "assistant",
                "content": None,
                "function_call": {"name": "weather", "arguments": '{"city": "Oslo"}'},
            },
            {"role": "function", "name": "weather", "content": "rain"},
            {"role": "assistant", "content": "It rains.", "function_call": None},
        ],
        "functions": [WEATHER],
    }
    assert messages(row)[1:3] == (
        Message("assistant", "", tool_calls=(ToolCall("weather", '{"city": "Oslo"}'),)),
        Message("tool", "rain", name="weather"),
    )
    item = draft(row).item
    assert isinstance(item, Example)
    assert item.tools == (WEATHER,)


def test_tools_may_be_json_inside_a_text() -> None:
    for tools in (json.dumps([WEATHER]), [WEATHER]):
        item = draft({"messages": [USER, ANSWER], "tools": tools}).item
        assert isinstance(item, Example)
        assert item.tools == (WEATHER,)


@pytest.mark.parametrize("tools", [None, "", "  ", "[]", []])
def test_no_tools_are_no_tools(tools: Any) -> None:
    item = draft({"messages": [USER, ANSWER], "tools": tools}).item
    assert isinstance(item, Example)
    assert item.tools == ()


@pytest.mark.parametrize(
    ("role", "weight", "train"),
    [
        ("assistant", 0, False),
        ("assistant", 1, None),
        ("user", 0, False),
        ("user", 1, True),
        ("assistant", None, None),
    ],
)
def test_weight_is_a_train_flag_where_it_changes_anything(
    role: str, weight: int | None, train: bool | None
) -> None:
    (turn,) = messages({"messages": [{"role": role, "content": "x", "weight": weight}]})
    assert turn.train is train


def test_other_roles_stay_for_the_rule_about_roles() -> None:
    made = draft({"messages": [{"role": "developer", "content": "x"}, USER]})
    assert [turn.role for turn in made.turns] == ["developer", "user"]
    assert made.findings == ()
    assert made.item is None


def test_keys_that_are_not_read_are_named_where_they_stand() -> None:
    call = {"index": 0, "type": "function", "function": {"name": "f", "strict": True}}
    row = {
        "messages": [
            USER | {"mood": "calm", "refusal": None},
            {"role": "assistant", "tool_calls": [call, call]},
        ],
        "model": "x",
    }
    assert set(draft(row).unused_keys) == {
        "messages[].mood",
        "messages[].tool_calls[].index",
        "messages[].tool_calls[].function.strict",
        "model",
    }


@pytest.mark.parametrize(
    ("turn", "rule", "path"),
    [
        ({"tool_calls": {}}, "shape.not_list", "tool_calls"),
        ({"tool_calls": [{}]}, "tools.no_name", "tool_calls[0]"),
        ({"tool_calls": ["f"]}, "tools.no_name", "tool_calls[0]"),
        ({"tool_calls": [{"function": None}]}, "tools.no_name", "tool_calls[0]"),
        ({"function_call": "f"}, "tools.no_name", "function_call"),
        ({"content": "x", "name": 5}, "shape.not_text", "name"),
        ({"content": "x", "tool_call_id": 5}, "shape.not_text", "tool_call_id"),
        ({"content": "x", "weight": 0.5}, "shape.weight", "weight"),
        ({"content": "x", "weight": True}, "shape.weight", "weight"),
        ({"content": "x", "train": 1}, "shape.train", "train"),
        ({"content": [{"type": "text", "text": "x"}]}, "shape.not_text", "content"),
        ({"content": None}, "shape.not_text", "content"),
        ({}, "shape.no_content", "content"),
    ],
)
def test_a_faulty_field_of_a_turn_is_named(turn: Row, rule: str, path: str) -> None:
    content = {"content": "x"} if "tool_calls" in turn and not turn["tool_calls"] else {}
    row = {"messages": [USER, {"role": "assistant"} | content | turn]}
    assert fault(row)[:2] == (rule, f"messages[1].{path}")


@pytest.mark.parametrize(
    ("function", "rule", "where"),
    [
        ({"name": "f", "arguments": None}, "tools.arguments", ".function.arguments"),
        ({"name": "f", "arguments": [1]}, "tools.arguments", ".function.arguments"),
        ({"name": "f", "arguments": "5"}, "tools.arguments", ".function.arguments"),
        ({"name": "f", "arguments": ""}, "tools.not_json", ".function.arguments"),
        ({"name": "f", "arguments": "{'a': 1}"}, "tools.not_json", ".function.arguments"),
        ({"name": "f", "arguments": "{} {}"}, "tools.not_json", ".function.arguments"),
        ({"name": "f", "arguments": '{"": 1, "": 2}'}, "json.duplicate_key", ".function.arguments"),
        ({"name": "f", "arguments": '{"a": NaN}'}, "json.nan", ".function.arguments"),
        ({"name": 5, "arguments": {}}, "tools.no_name", ""),
    ],
)  # fmt: skip
def test_a_faulty_call_is_named(function: Row, rule: str, where: str) -> None:
    row = {"messages": [{"role": "assistant", "tool_calls": [{"function": function}]}]}
    assert fault(row)[:2] == (rule, f"messages[0].tool_calls[0]{where}")


def test_a_call_id_that_is_a_number_is_not_dropped_in_silence() -> None:
    call = {"id": 7, "function": {"name": "f"}}
    row = {"messages": [{"role": "assistant", "tool_calls": [call]}]}
    assert fault(row)[:2] == ("tools.id", "messages[0].tool_calls[0].id")


@pytest.mark.parametrize(
    ("tools", "rule"),
    [
        ("[{", "tools.not_json"),
        ({"name": "f"}, "tools.not_list"),
        (["f"], "tools.not_list"),
        ('{"name": "f"}', "tools.not_list"),
        ('[{"name": "f", "name": "g"}]', "json.duplicate_key"),
        (5, "tools.not_list"),
    ],
)
def test_tools_that_are_no_list_of_objects_are_named(tools: Any, rule: str) -> None:
    row = {"messages": [USER, ANSWER], "tools": tools}
    assert fault(row)[:2] == (rule, "tools")


def test_tools_and_functions_at_once_are_refused() -> None:
    row = {"messages": [USER, ANSWER], "tools": [WEATHER], "functions": [WEATHER]}
    assert fault(row)[:2] == ("tools.twice", "functions")
