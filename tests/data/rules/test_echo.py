from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("Tell me about the sea.", "Tell me about the sea."),
        ("Tell me about the sea.", "  tell me about the SEA"),
        ("请给我讲讲大海的故事吧。", "请给我讲讲大海的故事吧"),
    ],
)
def test_an_answer_that_is_the_question_is_found(
    look_at_answer, prompt: str, response: str
) -> None:
    assert look_at_answer("echo", prompt, response) == ["echo.prompt_is_response"]


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("你好！", "你好！"),
        ("Hello", "Hello!"),
        ("Tell me about the sea.", "Tell me about the seas."),
        ("Correct it: He go home.", "He goes home."),
        ("请给我讲讲大海的故事吧。", "请给我讲讲大山的故事吧。"),
        ("？？？？？？？？？？", "！！！！！！！！！！"),
    ],
)
def test_greetings_and_answers_pass(look_at_answer, prompt: str, response: str) -> None:
    assert look_at_answer("echo", prompt, response) == []


def test_a_rejected_answer_may_be_an_echo(look) -> None:
    record = {"prompt": "Tell me about the sea.", "chosen": "It is deep."}
    assert look("echo", record | {"rejected": record["prompt"]}, format="preference") == []


def test_every_answer_of_a_conversation_is_compared_with_its_own_question(look) -> None:
    turns = ["What is a sea?", "Much water.", "And what is a lake?", "And what is a lake?"]
    roles = ["user", "assistant"] * 2
    rows = [{"role": r, "content": t} for r, t in zip(roles, turns, strict=True)]
    (finding,) = look("echo", {"messages": rows})
    assert finding.path == "messages[3].content"
