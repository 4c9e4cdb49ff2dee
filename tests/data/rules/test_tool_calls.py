from __future__ import annotations

import pytest

TOOLS = [{"type": "function", "function": {"name": "add"}}, {"name": "weather"}]
ASK = {"role": "user", "content": "北京天气如何？"}
END = {"role": "assistant", "content": "晴。"}


def call(*ids: str | None, name: str = "weather") -> dict:
    calls = [{"function": {"name": name, "arguments": {}}} | ({"id": i} if i else {}) for i in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def answer(of: str | None = None) -> dict:
    return {"role": "tool", "content": "22 °C"} | ({"tool_call_id": of} if of else {})


def told(look, *turns: dict, tools: list | None = TOOLS) -> list[tuple[str, str, str]]:
    record = {"messages": [ASK, *turns, END]} | ({"tools": tools} if tools else {})
    return [(f.rule.partition(".")[2], f.severity, f.path) for f in look("tool_calls", record)]


@pytest.mark.parametrize(
    "turns",
    [
        [call(None), answer()],
        [call("a"), answer("a")],
        [call("a", "b"), answer("b"), answer("a")],
        [call(None, None), answer()],  # one answer to all, as LLaMA-Factory joins them
        [call("a"), answer(), call("a", name="add"), answer("a")],
    ],
)
def test_calls_that_match_their_answers_pass(look, turns: list[dict]) -> None:
    assert told(look, *turns) == []


@pytest.mark.parametrize(
    ("turns", "kind", "severity", "path"),
    [
        ([call("a", name="wether"), answer("a")], "unknown_function", "error", 1),
        ([call("a"), answer("b")], "id_unmatched", "error", 2),
        ([call(None), answer("b")], "id_unmatched", "error", 2),
        ([call("a", "a"), answer("a")], "id_twice", "error", 1),
        ([call("a", "b"), answer("a")], "not_answered", "error", 1),
        ([call("a", "b"), answer("a"), answer()], "id_missing", "warning", 3),
        ([call(None), answer(), answer()], "answer_without_call", "error", 3),
    ],
)
def test_calls_that_do_not_match(
    look, turns: list[dict], kind: str, severity: str, path: int
) -> None:
    assert (kind, severity, f"messages[{path}].content") in told(look, *turns)
    assert len({where for _, _, where in told(look, *turns)}) == 1 or kind == "id_unmatched"


def test_calls_without_tools_are_one_warning_a_record(look) -> None:
    turns = [call("a"), answer("a"), END, ASK, call("b"), answer("b")]
    expected = [("no_tools", "warning", "messages[1].content")]
    assert told(look, *turns, tools=None) == expected


def test_a_call_that_ends_the_conversation_wants_no_answer(look) -> None:
    assert look("tool_calls", {"messages": [ASK, call("a", "b")], "tools": TOOLS}) == []


def test_a_prompt_of_a_preference_is_told_once(look) -> None:
    record = {"prompt": [ASK, call("a"), answer("b")], "chosen": [END], "rejected": [END]}
    found = look("tool_calls", record | {"tools": TOOLS}, format="preference")
    assert [f.rule for f in found].count("tool_calls.id_unmatched") == 1
