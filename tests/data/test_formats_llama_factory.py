"""The formats alpaca and sharegpt, as LLaMA-Factory reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from records import Row, draft, fault, messages

from tuneval.data.example import Example, Message, ToolCall

HUMAN = {"from": "human", "value": "Hi"}
GPT = {"from": "gpt", "value": "Hello!"}
WEATHER = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {}}}}
ADD: Row = {"instruction": "Add.", "input": "1, 2", "output": "3"}


def test_an_alpaca_record_is_read_in_order() -> None:
    row = ADD | {"system": "Be brief.", "history": [["a", "b"]]}
    assert messages(row) == (
        Message("system", "Be brief."),
        Message("user", "a"),
        Message("assistant", "b"),
        Message("user", "Add.\n1, 2"),
        Message("assistant", "3"),
    )


def test_alpaca_has_tools_as_json_inside_a_text() -> None:
    item = draft(ADD | {"tools": json.dumps([WEATHER])}).item
    assert isinstance(item, Example)
    assert item.tools == (WEATHER,)


def test_a_list_of_answers_is_told_what_it_was() -> None:
    rule, path, what = fault(ADD | {"output": ["good", "bad"]})
    assert (rule, path) == ("shape.answers_in_list", "output")
    assert "[chosen, rejected]" in what


@pytest.mark.parametrize(
    ("change", "rule", "path"),
    [
        ({"instruction": None}, "shape.not_text", "instruction"),
        ({"input": 5}, "shape.not_text", "input"),
        ({"output": {}}, "shape.not_text", "output"),
        ({"system": []}, "shape.not_text", "system"),
        ({"history": "a"}, "shape.history", "history"),
        ({"history": [["a"]]}, "shape.history", "history"),
        ({"history": [["a", None]]}, "shape.history", "history"),
        ({"tools": "f"}, "tools.not_json", "tools"),
    ],
)
def test_a_faulty_field_of_alpaca_is_named(change: Row, rule: str, path: str) -> None:
    assert fault(ADD | change)[:2] == (rule, path)


def test_the_names_of_sharegpt_are_roles() -> None:
    call = {"name": "weather", "arguments": {"city": "Oslo"}}
    row = {
        "conversations": [
            {"from": "system", "value": "Be brief."},
            HUMAN,
            {"from": "function_call", "value": json.dumps(call)},
            {"from": "observation", "value": "rain"},
            GPT,
        ],
        "tools": json.dumps([WEATHER]),
    }
    assert messages(row) == (
        Message("system", "Be brief."),
        Message("user", "Hi"),
        Message("assistant", "", tool_calls=(ToolCall("weather", '{"city": "Oslo"}'),)),
        Message("tool", "rain"),
        Message("assistant", "Hello!"),
    )
    item = draft(row).item
    assert isinstance(item, Example)
    assert item.tools == (WEATHER,)


def test_a_function_call_may_hold_several() -> None:
    calls = [{"name": "f", "arguments": {}}, {"name": "g", "arguments": {"a": "b"}}]
    turn = {"from": "function_call", "value": json.dumps(calls)}
    assert messages({"conversations": [HUMAN, turn]})[1].tool_calls == (
        ToolCall("f", "{}"),
        ToolCall("g", '{"a": "b"}'),
    )


def test_a_thought_may_stand_before_a_call() -> None:
    value = '<think>\nThe weather, then.\n</think>\n\n{"name": "f", "arguments": {}}'
    turn = messages({"conversations": [HUMAN, {"from": "function_call", "value": value}]})[1]
    assert turn.content == "<think>\nThe weather, then.\n</think>\n\n"
    assert turn.tool_calls == (ToolCall("f", "{}"),)


def test_the_system_text_stands_in_a_key_or_in_the_first_turn() -> None:
    turn = {"from": "system", "value": "Be brief."}
    by_key = messages({"system": "Be brief.", "conversations": [HUMAN, GPT]})
    by_turn = messages({"conversations": [turn, HUMAN, GPT]})
    by_both = messages({"system": "Be brief.", "conversations": [turn, HUMAN, GPT]})
    assert by_key == by_turn == by_both
    assert by_key[0] == Message("system", "Be brief.")
    assert messages({"system": "", "conversations": [HUMAN, GPT]})[0].role == "user"


def test_two_system_texts_that_differ_are_refused() -> None:
    # LLaMA-Factory would drop the one under the key without a word.
    turn = {"from": "system", "value": "Be brief."}
    row = {"system": "Be long.", "conversations": [turn, HUMAN, GPT]}
    assert fault(row)[:2] == ("shape.two_systems", "system")


def test_an_unknown_name_stays_visible_to_the_rule_about_roles() -> None:
    made = draft({"conversations": [{"from": "bing", "value": "x"}, GPT]})
    assert [turn.role for turn in made.turns] == ["bing", "assistant"]
    assert made.turns[0].role_path == "conversations[0].from"
    assert (made.findings, made.item) == ((), None)


def test_turns_out_of_order_are_the_rules_matter() -> None:
    assert len(messages({"conversations": [GPT, GPT, HUMAN]})) == 3


def test_keys_of_a_turn_that_are_not_read_are_named() -> None:
    row = {"conversations": [HUMAN | {"weight": 0, "text": None}, GPT], "id": 5}
    assert draft(row).unused_keys == ("conversations[].weight", "id")


@pytest.mark.parametrize(
    ("turn", "rule", "path"),
    [
        ({"value": "x"}, "shape.no_from", ".from"),
        ({"from": "gpt"}, "shape.no_value", ".value"),
        ({"from": 5, "value": "x"}, "shape.not_text", ".from"),
        ({"from": "gpt", "value": {}}, "shape.not_text", ".value"),
        ("x", "shape.not_object", ""),
        ({"from": "function_call", "value": "f()"}, "tools.not_json", ".value"),
        ({"from": "function_call", "value": "[]"}, "tools.no_call", ".value"),
        ({"from": "function_call", "value": "{}"}, "tools.no_name", ".value"),
        ({"from": "function_call", "value": '[{"name": "f"}, 5]'}, "tools.no_name", ".value[1]"),
        (
            {"from": "function_call", "value": '{"name": "f", "arguments": "x"}'},
            "tools.not_json",
            ".value.arguments",
        ),
    ],
)  # fmt: skip
def test_a_faulty_turn_is_named(turn: Any, rule: str, path: str) -> None:
    row = {"conversations": [HUMAN, turn]}
    assert fault(row)[:2] == (rule, f"conversations[1]{path}")


@pytest.mark.parametrize(
    ("conversations", "rule"),
    [(None, "shape.not_list"), ("[]", "shape.not_list"), ([], "shape.no_turns")],
)
def test_no_list_of_turns_is_named(conversations: Any, rule: str) -> None:
    assert fault({"conversations": conversations})[:2] == (rule, "conversations")
