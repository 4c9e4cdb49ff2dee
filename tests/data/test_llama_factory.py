"""What LLaMA-Factory would train on, derived a second time, against what we read.

`expected` is written from the description of its reading, for one record; two things differ on
purpose: the words "detailed thinking off" are not added, and text beside a call is kept.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneval.data.draft import Draft
from tuneval.data.example import Example, Item, Message, Preference, Text, UnpairedPreference
from tuneval.data.read import drafts

TEST_DATA = os.environ.get("TUNEVAL_TEST_DATA")
needs_test_data = pytest.mark.skipif(
    not TEST_DATA, reason="TUNEVAL_TEST_DATA does not name a folder of real data files"
)
REGISTRY = Path(TEST_DATA or "", "instruct", "dataset_info.json")
COLUMNS = {
    "prompt": "instruction",
    "query": "input",
    "response": "output",
    "messages": "conversations",
}
TAGS = {
    "role_tag": "from",
    "content_tag": "value",
    "user_tag": "human",
    "assistant_tag": "gpt",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}
Turn = tuple[str, str, list[Any]]  # role, text, calls


def expected(entry: dict[str, Any], row: dict[str, Any]) -> dict[str, Any] | None:
    """System, turns, answers, tools and label of a record; None for one that is dropped."""
    columns, tags = entry.get("columns", COLUMNS), entry.get("tags", TAGS)

    def cell(column: str) -> Any:
        return row.get(columns[column]) if column in columns else None

    found: dict[str, Any] = {"system": cell("system") or "", "tools": cell("tools") or []}
    if isinstance(found["tools"], str):
        found["tools"] = json.loads(found["tools"])
    if entry.get("formatting", "alpaca") == "alpaca":
        turns: list[Turn] = []
        for question, answer in cell("history") or []:
            turns += [("user", question, []), ("assistant", answer, [])]
        question = "\n".join(filter(None, [cell("prompt"), cell("query")]))
        turns.append(("user", question, []))
        answers = [cell("response")]
        if entry.get("ranking"):
            answers = [cell("chosen"), cell("rejected")]
        elif "response" not in columns:
            return found | {"turns": turns, "answers": []}
        if not all(isinstance(answer, str) for answer in answers):
            return None
        found |= {"turns": turns, "answers": [("assistant", answer, []) for answer in answers]}
    else:
        rows = list(cell("messages"))
        if rows and rows[0][tags["role_tag"]] == tags.get("system_tag"):
            found["system"] = rows.pop(0)[tags["content_tag"]]
        turns = [_turn(one, tags) for one in rows]
        places = [("user", "tool"), ("assistant",)]
        if any(turn[0] not in places[n % 2] for n, turn in enumerate(turns)):
            return None
        if len(turns) % 2 != bool(entry.get("ranking")):
            return None
        if entry.get("ranking"):
            answers = [_turn(cell(name), tags) for name in ("chosen", "rejected")]
            found |= {"turns": turns, "answers": answers}
        else:
            found |= {"turns": turns[:-1], "answers": turns[-1:]}
            if not turns:
                return None
    if "kto_tag" in columns:
        if not isinstance(cell("kto_tag"), bool):
            return None
        found["label"] = cell("kto_tag")
    return found


def _turn(one: dict[str, Any], tags: dict[str, str]) -> Turn:
    content = one[tags["content_tag"]]
    role = next((tag for tag, word in tags.items() if word == one[tags["role_tag"]]), "")
    names = {"user_tag": "user", "assistant_tag": "assistant", "observation_tag": "tool"}
    if role == "function_tag":
        calls = json.loads(content)
        calls = calls if isinstance(calls, list) else [calls]
        return "assistant", "", [(call["name"], call["arguments"]) for call in calls]
    return names.get(role, f"no role: {role}"), content, []


def ours(item: Item) -> dict[str, Any]:
    """The same of an item."""
    if isinstance(item, Text):
        text: Turn = ("user", item.text, [])
        return {"system": "", "tools": [], "turns": [text], "answers": []}
    answers: tuple[Message, ...]
    match item:
        case Example():
            prompt, answers = item.messages[:-1], item.messages[-1:]
        case Preference():
            prompt, answers = item.prompt, (*item.chosen, *item.rejected)
        case UnpairedPreference():
            prompt, answers = item.prompt, item.completion
    system = prompt[0].content if prompt and prompt[0].role == "system" else ""
    found = {
        "system": system,
        "tools": [dict(tool) for tool in item.tools],
        "turns": [_of(message) for message in prompt if message.role != "system"],
        "answers": [_of(message) for message in answers],
    }
    return found | ({"label": item.label} if isinstance(item, UnpairedPreference) else {})


def _of(message: Message) -> Turn:
    calls = [(call.name, json.loads(call.arguments)) for call in message.tool_calls]
    return message.role, message.content, calls


def read_drafts(location: str) -> list[Draft]:
    """The drafts of a set."""
    return [item for item in drafts(location).items if isinstance(item, Draft)]


@needs_test_data
@pytest.mark.parametrize(
    ("name", "n_records", "kind"),
    [
        ("identity", 91, Example),
        ("alpaca_en_demo", 999, Example),
        ("alpaca_zh_demo", 1000, Example),
        ("glaive_toolcall_zh_demo", 300, Example),
        ("dpo_zh_demo", 300, Preference),
        ("kto_en_demo", 300, UnpairedPreference),
    ],
)
def test_entries_of_the_real_registry_are_read_alike(
    name: str, n_records: int, kind: type[Item]
) -> None:
    entry = json.loads(REGISTRY.read_bytes())[name]
    rows = json.loads((REGISTRY.parent / entry["file_name"]).read_bytes())
    found = read_drafts(f"{REGISTRY}#{name}")
    assert len(found) == len(rows) == n_records
    for draft, row in zip(found, rows, strict=True):
        assert isinstance(draft.item, kind)
        assert ours(draft.item) == expected(entry, row)


@needs_test_data
def test_every_entry_with_a_local_file_was_compared() -> None:
    entries = json.loads(REGISTRY.read_bytes())
    here = [n for n, e in entries.items() if (REGISTRY.parent / e.get("file_name", "-")).exists()]
    marks = test_entries_of_the_real_registry_are_read_alike.pytestmark  # type: ignore[attr-defined]
    compared = next(mark.args[1] for mark in marks if mark.name == "parametrize")
    assert sorted(here) == sorted(row[0] for row in compared)


texts = st.sampled_from(["", "Hi", "你好", " x ", "a\nb", '{"a": 1}'])
names = st.sampled_from(["a", "b", "c", "from", "value", "instruction", "output", "messages"])


@st.composite
def entries(draw: st.DrawFn) -> dict[str, Any]:
    """An entry that can be read, its columns and tags listed or left out at will."""
    is_alpaca = draw(st.booleans())
    entry: dict[str, Any] = {"formatting": "alpaca" if is_alpaca else "sharegpt"}
    kind = draw(st.sampled_from(["conversation", "ranking", "kto", "text"]))
    needed = ["prompt", "response"] if is_alpaca else ["messages"]
    others = ["system", "tools"] + (["query", "history"] if is_alpaca else [])
    if kind == "ranking":
        entry["ranking"] = True
        needed = [needed[0], "chosen", "rejected"]
    elif kind == "kto":
        needed.append("kto_tag")
    elif kind == "text" and is_alpaca:
        needed, others = ["prompt"], ["query"]
    if kind != "conversation" or draw(st.booleans()):
        listed = [*needed, *(name for name in others if draw(st.booleans()))]
        own = draw(st.lists(names, min_size=len(listed), max_size=len(listed), unique=True))
        entry["columns"] = dict(zip(listed, own, strict=True))
    if not is_alpaca and draw(st.booleans()):
        optional = ("observation_tag", "function_tag", "system_tag")
        left_out = draw(st.sets(st.sampled_from(optional)))
        words = {"role_tag": "role", "content_tag": "content", "assistant_tag": "model"}
        entry["tags"] = {t: w for t, w in (TAGS | words).items() if t not in left_out}
    return entry


@st.composite
def records(draw: st.DrawFn, entry: dict[str, Any]) -> dict[str, Any]:
    """A record for the entry, with keys that it does not list as well."""
    columns, tags = entry.get("columns", COLUMNS), entry.get("tags", TAGS)
    row: dict[str, Any] = {"extra": "x"}

    def turn(names: list[str]) -> dict[str, Any]:
        name = draw(st.sampled_from([n for n in names if n in tags]))
        call = '{"name": "f", "arguments": {"x": 1}}'
        text = call if name == "function_tag" else draw(texts)
        return {tags["role_tag"]: tags[name], tags["content_tag"]: text}

    for column, key in columns.items():
        match column:
            case "history":
                row[key] = draw(st.sampled_from([None, [], [["q", "a"]]]))
            case "messages":
                sides = [["user_tag", "observation_tag"], ["assistant_tag", "function_tag"]]
                n_turns = draw(st.integers(1, 4)) if draw(st.booleans()) else 2
                n_turns += n_turns % 2 != bool(entry.get("ranking"))
                row[key] = [turn(sides[n % 2]) for n in range(n_turns)]
                if "system_tag" in tags and draw(st.booleans()):
                    row[key].insert(0, turn(["system_tag"]))
            case "chosen" | "rejected":
                one = turn(["assistant_tag"])
                row[key] = one if entry["formatting"] == "sharegpt" else draw(texts)
            case "tools":
                row[key] = draw(st.sampled_from([None, "", '[{"name": "f"}]']))
            case "kto_tag":
                row[key] = draw(st.booleans())
            case "system" | "query":
                row[key] = draw(st.none() | texts)
            case _:
                row[key] = draw(texts)
    return row


@settings(max_examples=300)
@given(st.data())
def test_any_entry_and_record_are_read_alike(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    entry = data.draw(entries())
    row = data.draw(records(entry))
    folder = tmp_path_factory.mktemp("registry", numbered=True)
    (folder / "set.jsonl").write_text(json.dumps(row) + "\n")
    registry = folder / "dataset_info.json"
    registry.write_text(json.dumps({"set": {"file_name": "set.jsonl"} | entry}))
    (draft,) = read_drafts(f"{registry}#set")
    assert draft.item is not None, draft.findings
    assert ours(draft.item) == expected(entry, row)
