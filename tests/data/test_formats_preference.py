"""The format preference, in the shapes of TRL and LLaMA-Factory."""

from __future__ import annotations

import pytest
from records import Row, draft, fault

from tuneval.data.example import Message, Preference

USER = {"role": "user", "content": "Hi"}
ANSWER = {"role": "assistant", "content": "Hello!"}
HUMAN = {"from": "human", "value": "Hi"}
GPT = {"from": "gpt", "value": "Hello!"}
WEATHER = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {}}}}
SAYS_HI = (Message("user", "Hi"),)
SAYS_HELLO = (Message("assistant", "Hello!"),)
BAD = {"role": "assistant", "content": "Go away."}
SAYS_BAD = (Message("assistant", "Go away."),)
SHAPES: dict[str, Row] = {
    "trl, texts": {"prompt": "Hi", "chosen": "Hello!", "rejected": "Go away."},
    "trl, lists": {"prompt": [USER], "chosen": [ANSWER], "rejected": [BAD]},
    "trl, prompt inside": {"chosen": [USER, ANSWER], "rejected": [USER, BAD]},
    "trl, prompt inside and as a text": {
        "prompt": "Hi",
        "chosen": [USER, ANSWER],
        "rejected": [USER, BAD],
    },
    "llamafactory, alpaca": {"instruction": "Hi", "chosen": "Hello!", "rejected": "Go away."},
    "llamafactory, alpaca with input": {
        "instruction": "Hi",
        "input": "",
        "chosen": "Hello!",
        "rejected": "Go away.",
    },
    "llamafactory, sharegpt": {
        "conversations": [HUMAN],
        "chosen": GPT,
        "rejected": {"from": "gpt", "value": "Go away."},
    },
    "llamafactory, messages": {"messages": [USER], "chosen": ANSWER, "rejected": BAD},
}


def preference(row: Row) -> Preference:
    """The item of a sound record that is found to be a preference."""
    made = draft(row)
    assert made.findings == ()
    assert isinstance(made.item, Preference)
    return made.item


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_says_the_same(shape: str) -> None:
    item = preference(SHAPES[shape])
    assert (item.prompt, item.chosen, item.rejected) == (SAYS_HI, SAYS_HELLO, SAYS_BAD)


@pytest.mark.parametrize("shape", SHAPES)
def test_tools_are_read_in_every_shape(shape: str) -> None:
    assert preference(SHAPES[shape] | {"tools": [WEATHER]}).tools == (WEATHER,)


def test_alpacas_system_and_history_belong_to_the_prompt() -> None:
    row = SHAPES["llamafactory, alpaca"] | {"system": "s", "history": [["a", "b"]]}
    assert [turn.content for turn in preference(row).prompt] == ["s", "a", "b", "Hi"]


def test_sharegpts_system_belongs_to_the_prompt() -> None:
    row = SHAPES["llamafactory, sharegpt"] | {"system": "s"}
    assert [turn.content for turn in preference(row).prompt] == ["s", "Hi"]


def test_alpacas_output_beside_the_answers_is_not_read() -> None:
    row = SHAPES["llamafactory, alpaca"] | {"output": "Hello!"}
    assert preference(row).prompt == SAYS_HI
    assert draft(row).unused_keys == ("output",)


def test_the_common_beginning_ends_before_the_last_turn() -> None:
    item = preference({"chosen": [USER, ANSWER], "rejected": [USER, ANSWER]})
    assert (item.prompt, item.chosen) == (SAYS_HI, item.rejected)


def test_answers_inside_may_be_of_several_turns() -> None:
    chosen, rejected = [USER, ANSWER, USER, ANSWER], [USER, BAD]
    item = preference({"chosen": chosen, "rejected": rejected})
    assert (len(item.prompt), len(item.chosen), len(item.rejected)) == (1, 3, 1)


def test_a_prompt_that_is_another_text_is_named_as_not_read() -> None:
    row = SHAPES["trl, prompt inside and as a text"] | {"prompt": "Something else"}
    assert draft(row).unused_keys == ("prompt",)


def test_turns_carry_their_part() -> None:
    turns = draft(SHAPES["trl, prompt inside"]).turns
    assert [(turn.part, turn.path) for turn in turns] == [
        ("messages", "chosen[0].content"),
        ("chosen", "chosen[1].content"),
        ("rejected", "rejected[1].content"),
    ]


@pytest.mark.parametrize(
    ("row", "rule", "path"),
    [
        ({"chosen": "a", "rejected": "b"}, "shape.no_prompt", "chosen"),
        (
            {"conversations": [HUMAN], "chosen": "a", "rejected": "b"},
            "shape.no_prompt",
            "chosen",
        ),
        ({"prompt": "Hi", "chosen": "a", "rejected": None}, "shape.mixed", "chosen"),
        ({"prompt": "Hi", "chosen": None, "rejected": None}, "shape.mixed", "chosen"),
        ({"prompt": [USER], "chosen": [ANSWER], "rejected": ANSWER}, "shape.mixed", "chosen"),
        ({"prompt": [USER], "chosen": "a", "rejected": "b"}, "shape.not_text", "prompt"),
        ({"prompt": 5, "chosen": [ANSWER], "rejected": [BAD]}, "shape.not_list", "prompt"),
        ({"prompt": [], "chosen": [ANSWER], "rejected": [BAD]}, "shape.no_turns", "prompt"),
        ({"prompt": [USER], "chosen": [], "rejected": [BAD]}, "shape.no_turns", "chosen"),
        ({"chosen": [USER, ANSWER], "rejected": []}, "shape.no_turns", "rejected"),
        ({"chosen": [ANSWER], "rejected": [BAD]}, "shape.no_prompt", "chosen[0]"),
        ({"messages": [], "chosen": ANSWER, "rejected": BAD}, "shape.no_turns", "messages"),
        (
            {"conversations": [HUMAN], "chosen": ANSWER | GPT, "rejected": {"from": "gpt"}},
            "shape.no_value",
            "rejected.value",
        ),
        ({"chosen": ANSWER, "rejected": BAD}, "shape.no_messages", "messages"),
    ],
)
def test_a_faulty_record_is_named(row: Row, rule: str, path: str) -> None:
    assert fault(row)[:2] == (rule, path)


def test_both_answers_must_be_there() -> None:
    row = {"prompt": "Hi", "chosen": "a"}
    assert fault(row, "preference")[:2] == ("shape.no_rejected", "rejected")
