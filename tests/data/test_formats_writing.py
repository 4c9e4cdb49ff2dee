"""What each format writes: read again it is the same item, or the refusal names what is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneval.data.example import (
    ROLES,
    Example,
    Item,
    Message,
    Preference,
    Source,
    Text,
    ToolCall,
    UnpairedPreference,
    canonical_json,
)
from tuneval.data.format import CannotHoldError, best_formats
from tuneval.data.formats import FORMATS
from tuneval.data.record import Record
from tuneval.data.write import as_row

Build = Callable[..., Any]

SOURCE = Source("set.jsonl", 7)
CALL = ToolCall("weather", '{"city": "Oslo"}')
TOOLS = ({"name": "weather", "parameters": {"type": "object"}},)
SYSTEM, USER, ASSISTANT = (Message(role, f"of {role}") for role in ("system", "user", "assistant"))
CALLING = Message("assistant", "", tool_calls=(CALL,))
TOOL = Message("tool", "rain")


def conversation(*messages: Message, **more: Any) -> Example:
    return Example(messages, SOURCE, **more)


def preference(
    *prompt: Message, chosen: tuple[Message, ...] = (ASSISTANT,), **more: Any
) -> Preference:
    return Preference(prompt, chosen, (Message("assistant", "no"),), SOURCE, **more)


def unpaired(
    *prompt: Message, completion: tuple[Message, ...] = (ASSISTANT,), **more: Any
) -> UnpairedPreference:
    return UnpairedPreference(prompt, completion, True, SOURCE, **more)


def written(item: Item, format: str) -> dict[str, Any]:
    """The record, through JSON and back."""
    row: dict[str, Any] = json.loads(json.dumps(as_row(item, format), ensure_ascii=False))
    return row


@pytest.mark.parametrize(
    ("item", "format", "row"),
    [
        (
            conversation(USER, CALLING, TOOL, ASSISTANT, tools=TOOLS, group="g", tags={"a": 1}),
            "messages",
            {
                "messages": [
                    {"role": "user", "content": "of user"},
                    {
                        "role": "assistant",
                        "content": "",
                        "tool_calls": [
                            {
                                "type": "function",
                                "function": {"name": "weather", "arguments": {"city": "Oslo"}},
                            }
                        ],
                    },
                    {"role": "tool", "content": "rain"},
                    {"role": "assistant", "content": "of assistant"},
                ],
                "tools": list(TOOLS),
                "group": "g",
                "tags": {"a": 1},
            },
        ),
        (
            conversation(SYSTEM, USER, ASSISTANT, USER, ASSISTANT, tools=TOOLS),
            "alpaca",
            {
                "instruction": "of user",
                "input": "",
                "system": "of system",
                "history": [["of user", "of assistant"]],
                "output": "of assistant",
                "tools": '[{"name": "weather", "parameters": {"type": "object"}}]',
            },
        ),
        (
            preference(USER),
            "alpaca",
            {"instruction": "of user", "input": "", "chosen": "of assistant", "rejected": "no"},
        ),
        (
            unpaired(USER),
            "alpaca",
            {"instruction": "of user", "input": "", "output": "of assistant", "kto_tag": True},
        ),
        (
            conversation(SYSTEM, USER, CALLING, TOOL, tools=TOOLS),
            "sharegpt",
            {
                "conversations": [
                    {"from": "system", "value": "of system"},
                    {"from": "human", "value": "of user"},
                    {
                        "from": "function_call",
                        "value": '{"name": "weather", "arguments": {"city": "Oslo"}}',
                    },
                    {"from": "observation", "value": "rain"},
                ],
                "tools": '[{"name": "weather", "parameters": {"type": "object"}}]',
            },
        ),
        (
            preference(USER),
            "sharegpt",
            {
                "conversations": [{"from": "human", "value": "of user"}],
                "chosen": {"from": "gpt", "value": "of assistant"},
                "rejected": {"from": "gpt", "value": "no"},
            },
        ),
        (
            unpaired(USER),
            "sharegpt",
            {
                "conversations": [
                    {"from": "human", "value": "of user"},
                    {"from": "gpt", "value": "of assistant"},
                ],
                "kto_tag": True,
            },
        ),
        (
            conversation(USER, Message("assistant", "a", train=False), USER, ASSISTANT),
            "prompt_completion",
            {
                "prompt": [
                    {"role": "user", "content": "of user"},
                    {"role": "assistant", "content": "a"},
                    {"role": "user", "content": "of user"},
                ],
                "completion": [{"role": "assistant", "content": "of assistant"}],
            },
        ),
        (Text("Once", SOURCE, "g"), "text", {"text": "Once", "group": "g"}),
        (
            preference(USER, tools=TOOLS),
            "preference",
            {
                "prompt": [{"role": "user", "content": "of user"}],
                "chosen": [{"role": "assistant", "content": "of assistant"}],
                "rejected": [{"role": "assistant", "content": "no"}],
                "tools": list(TOOLS),
            },
        ),
        (
            unpaired(USER),
            "kto",
            {
                "prompt": [{"role": "user", "content": "of user"}],
                "completion": [{"role": "assistant", "content": "of assistant"}],
                "label": True,
            },
        ),
    ],
)
def test_a_record_looks_as_its_format_wants_it(
    item: Item, format: str, row: dict[str, Any]
) -> None:
    assert written(item, format) == row


def test_several_calls_of_one_turn_are_a_list_in_sharegpt() -> None:
    calls = (CALL, ToolCall("time", "{}"))
    row = written(conversation(USER, Message("assistant", "", tool_calls=calls)), "sharegpt")
    assert json.loads(row["conversations"][1]["value"]) == [
        {"name": "weather", "arguments": {"city": "Oslo"}},
        {"name": "time", "arguments": {}},
    ]


TRAINED = Message("user", "x", train=True)
NAMED = Message("user", "x", name="Ann")
WITH_ID = Message("assistant", "", tool_calls=(ToolCall("f", "{}", "call_1"),))
ANSWERING_ID = Message("tool", "x", tool_call_id="call_1")
TALKING = Message("assistant", "Let me see.", tool_calls=(CALL,))
EMPTY_SYSTEM = Message("system", "")
ORDER = "another order than question and answer in turn"


@pytest.mark.parametrize(
    ("format", "item", "losses"),
    [
        ("messages", Text("x", SOURCE), "a plain text"),
        ("messages", preference(USER), "a preference"),
        ("messages", unpaired(USER), "an unpaired preference"),
        ("messages", conversation(), "a conversation without turns"),
        ("alpaca", Text("x", SOURCE), "a plain text"),
        ("alpaca", conversation(TRAINED, ASSISTANT), "train flags"),
        ("alpaca", conversation(NAMED, ASSISTANT), "names of speakers"),
        ("alpaca", conversation(USER, WITH_ID), "ids of tool calls and tool calls"),
        ("alpaca", conversation(USER, CALLING, TOOL, ASSISTANT), "tool calls and answers of tools"),
        ("alpaca", conversation(SYSTEM, SYSTEM, USER, ASSISTANT), "several system turns"),
        (
            "alpaca",
            conversation(USER, SYSTEM, ASSISTANT),
            "a system turn that is not the first",
        ),
        ("alpaca", conversation(EMPTY_SYSTEM, USER, ASSISTANT), "an empty system turn"),
        ("alpaca", conversation(), ORDER),
        ("alpaca", conversation(ASSISTANT), ORDER),
        ("alpaca", conversation(USER), ORDER),
        ("alpaca", conversation(USER, USER, ASSISTANT), ORDER),
        ("alpaca", conversation(USER, ASSISTANT, ASSISTANT), ORDER),
        ("alpaca", conversation(USER, ASSISTANT, USER), ORDER),
        ("alpaca", preference(), ORDER),
        ("alpaca", preference(USER, chosen=(USER,)), ORDER),
        ("alpaca", preference(USER, chosen=()), ORDER),
        ("alpaca", preference(USER, chosen=(ASSISTANT, USER, ASSISTANT)), ORDER),
        ("alpaca", unpaired(USER, completion=(CALLING,)), "tool calls"),
        ("sharegpt", Text("x", SOURCE), "a plain text"),
        ("sharegpt", conversation(), "a conversation without turns"),
        ("sharegpt", conversation(TRAINED, ASSISTANT), "train flags"),
        ("sharegpt", conversation(NAMED, ASSISTANT), "names of speakers"),
        ("sharegpt", conversation(USER, WITH_ID), "ids of tool calls"),
        ("sharegpt", conversation(USER, CALLING, ANSWERING_ID), "ids of tool calls"),
        ("sharegpt", conversation(USER, TALKING), "text beside a tool call"),
        (
            "sharegpt",
            conversation(Message("user", "", tool_calls=(CALL,))),
            "tool calls of another turn than the assistant's",
        ),
        ("sharegpt", preference(), "a prompt without turns"),
        ("sharegpt", preference(USER, chosen=()), "a chosen without turns"),
        ("sharegpt", preference(USER, chosen=(CALLING, TOOL)), "an answer of several turns"),
        ("sharegpt", unpaired(), "a prompt without turns"),
        ("sharegpt", unpaired(USER, completion=(CALLING, TOOL)), "an answer of several turns"),
        ("prompt_completion", Text("x", SOURCE), "a plain text"),
        ("prompt_completion", preference(USER), "a preference"),
        (
            "prompt_completion",
            conversation(),
            "a conversation without a prompt and a conversation without an answer to learn",
        ),
        ("prompt_completion", conversation(USER), "a conversation without an answer to learn"),
        ("prompt_completion", conversation(ASSISTANT), "a conversation without a prompt"),
        (
            "prompt_completion",
            conversation(USER, ASSISTANT, USER, ASSISTANT),
            "an answer to learn before the last question",
        ),
        (
            "prompt_completion",
            conversation(USER, Message("assistant", "x", train=True)),
            "train flags that say what a turn's role says and "
            "a conversation without an answer to learn",
        ),
        ("text", conversation(USER, ASSISTANT), "a conversation"),
        ("text", preference(USER), "a preference"),
        ("preference", conversation(USER, ASSISTANT), "a conversation"),
        ("preference", unpaired(USER), "an unpaired preference"),
        (
            "preference",
            preference(chosen=()),
            "a prompt without turns and a chosen without turns",
        ),
        ("kto", preference(USER), "a preference"),
        ("kto", unpaired(), "a prompt without turns"),
        ("kto", unpaired(USER, completion=()), "a completion without turns"),
    ],
)
def test_what_has_no_place_is_named(format: str, item: Item, losses: str) -> None:
    with pytest.raises(CannotHoldError) as caught:
        as_row(item, format)
    assert caught.value.what == f"The format {format} has no place for {losses}."
    assert caught.value.where == "set.jsonl:7"
    assert caught.value.mend


def test_a_preference_that_is_refused_for_its_kind_is_told_how_it_can_become_another() -> None:
    for format, is_told in (("messages", True), ("preference", False)):
        with pytest.raises(CannotHoldError) as caught:
            as_row(preference(chosen=()), format)
        assert ("--keep chosen" in caught.value.mend) == is_told


@pytest.mark.parametrize("thought", ["<think>Hm.</think>", "<think>\nHm.\n</think>\n\n"])
def test_a_thought_before_a_call_has_a_place_in_sharegpt(thought: str) -> None:
    item = conversation(USER, Message("assistant", thought, tool_calls=(CALL,)))
    assert read_again(written(item, "sharegpt")).id == item.id


# Few words, so that what formats treat apart (an empty text, a thought, white space) is frequent.
words = st.sampled_from(["", "a", "\n", "b\nc", "<think>d</think>", "<think>", "{}", "null"])
texts = words | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
optional_texts = st.none() | texts
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda values: st.lists(values, max_size=2) | st.dictionaries(texts, values, max_size=2),
    max_leaves=4,
)  # fmt: skip
objects = st.dictionaries(texts, json_values, max_size=3)
calls = st.builds(ToolCall, texts, objects.map(canonical_json), st.none() | texts)
plain = st.builds(Message, st.sampled_from(ROLES), texts)
odd = st.builds(
    Message,
    st.sampled_from(ROLES),
    texts,
    st.sampled_from([None, None, None, True, False]),
    st.lists(calls, max_size=2).map(tuple),
    optional_texts,
    optional_texts,
)
callers = st.builds(Message, st.just("assistant"), texts, tool_calls=st.tuples(calls))
turns = st.lists(plain | callers | odd, max_size=4).map(tuple)
paired = st.lists(st.tuples(texts, texts), min_size=1, max_size=3).map(
    lambda pairs: tuple(
        message for q, a in pairs for message in (Message("user", q), Message("assistant", a))
    )
)
prompts = turns | paired.map(lambda messages: messages[:-1])
answers = turns | texts.map(lambda text: (Message("assistant", text),))
about = {
    "source": st.just(SOURCE),
    "group": st.none() | texts.filter(bool),
    "tags": objects,
}
tools = st.lists(objects, max_size=2).map(tuple)
items: st.SearchStrategy[Item] = st.one_of(
    st.builds(Example, turns | paired, tools=tools, **about),
    st.builds(Text, texts, **about),
    st.builds(Preference, prompts, answers, answers, tools=tools, **about),
    st.builds(UnpairedPreference, prompts, answers, st.booleans(), tools=tools, **about),
)


def read_again(row: dict[str, Any]) -> Item:
    """The item of a record that is found by its keys to be in one format."""
    (format,) = best_formats(row)
    made = format.draft(Record(SOURCE, row))
    assert made.findings == ()
    assert made.unused_keys == ()
    assert made.item is not None
    return made.item


def by_way_of(format: str, item: Item) -> Item | None:
    """The item written and read again; None where the format refuses it."""
    try:
        row = written(item, format)
    except CannotHoldError:
        return None
    return read_again(row)


@settings(max_examples=150)
@given(items)
def test_any_format_and_then_any_other_gives_back_the_same_item_or_refuses(item: Item) -> None:
    for there in FORMATS:
        middle = by_way_of(there, item)
        for back in FORMATS if middle else ():
            assert middle is not None
            end = by_way_of(back, middle)
            for found in (middle, end or middle):
                assert (found.id, found.group, dict(found.tags)) == (
                    item.id,
                    item.group,
                    dict(item.tags),
                )
            # What a format holds does not depend on the way on which it came there.
            assert (end is None) == (by_way_of(back, item) is None)


@settings(max_examples=50)
@given(st.builds(Example, paired, tools=tools, **about))
def test_plain_questions_and_answers_have_a_place_in_every_chat_format(item: Example) -> None:
    assert all(by_way_of(format, item) for format in ("messages", "alpaca", "sharegpt"))
    assert (by_way_of("prompt_completion", item) is not None) == (len(item.messages) == 2)
