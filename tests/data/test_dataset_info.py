"""An entry of LLaMA-Factory's registry: what it reads of a record, under the file's own names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tuneval.data.draft import Draft
from tuneval.data.example import Example, Preference, Source, Text, UnpairedPreference
from tuneval.data.finding import Finding
from tuneval.data.fix import fix
from tuneval.data.read import drafts, read_items
from tuneval.data.sample import Draw, sample_file
from tuneval.data.validate import check
from tuneval.errors import DataError

CHAT = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!"}]
CALL = '{"name": "now", "arguments": {"zone": "UTC"}}'


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Writes a registry with the entry `set`, and its file; gives the entry's location."""

    def write(entry: dict[str, Any], *rows: Any, file: str = "set.jsonl") -> str:
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        (tmp_path / file).write_text("".join(lines), encoding="utf-8")
        registry = tmp_path / "dataset_info.json"
        registry.write_text(json.dumps({"set": {"file_name": file} | entry}))
        return f"{registry}#set"

    return write


def turns(messages: Any) -> list[tuple[str, str]]:
    """Roles and contents."""
    return [(message.role, message.content) for message in messages]


def only(location: str) -> Any:
    """The one item of a set."""
    (item,) = read_items(location)
    return item


def draft_of(location: str) -> Draft:
    """The one draft of a set."""
    (draft,) = [item for item in drafts(location).items if isinstance(item, Draft)]
    return draft


def errors_of(location: str) -> list[Finding]:
    """The errors that a format finds in a set of one record."""
    return [finding for finding in draft_of(location).findings if finding.severity == "error"]


def test_without_columns_the_defaults_are_read(write: Any) -> None:
    row = {"instruction": "Add", "input": "1 and 2", "output": "3", "history": [["a", "b"]]}
    item = only(write({}, row | {"system": "Be brief.", "tools": "[]"}))
    assert turns(item.messages) == [("user", "Add\n1 and 2"), ("assistant", "3")]


def test_a_column_that_is_not_listed_is_not_read(write: Any) -> None:
    row = {"instruction": "Add", "input": "1 and 2", "output": "3"}
    location = write({"columns": {"prompt": "instruction", "response": "output"}}, row)
    assert turns(only(location).messages) == [("user", "Add"), ("assistant", "3")]
    assert draft_of(location).unused_keys == ("input",)


def test_listed_columns_are_read_under_the_files_own_names(write: Any) -> None:
    columns = {"prompt": "q", "query": "more", "response": "a", "system": "s", "history": "h"}
    row = {"q": "Add", "more": "1", "a": "3", "s": "Be brief.", "h": [["a", "b"]]}
    found = draft_of(write({"columns": columns}, row))
    assert turns(found.item.messages) == [
        ("system", "Be brief."),
        ("user", "a"),
        ("assistant", "b"),
        ("user", "Add\n1"),
        ("assistant", "3"),
    ]
    assert [turn.path for turn in found.turns] == ["s", "h[0][0]", "h[0][1]", "q", "a"]


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_question_leaves_the_query_alone(write: Any, empty: str | None) -> None:
    item = only(write({}, {"instruction": empty, "input": "What now?", "output": "Go."}))
    assert turns(item.messages) == [("user", "What now?"), ("assistant", "Go.")]


def test_a_prompt_alone_is_a_text(write: Any) -> None:
    location = write({"columns": {"prompt": "text"}}, {"text": "Once upon a time", "url": "x"})
    assert only(location) == Text("Once upon a time", draft_of(location).record.source)


def test_prompt_and_query_without_a_response_are_one_text(write: Any) -> None:
    location = write({"columns": {"prompt": "title", "query": "body"}}, {"title": "T", "body": "B"})
    assert only(location).text == "T\nB"


def test_a_txt_file_has_a_text_on_each_line(write: Any, tmp_path: Path) -> None:
    location = write({"columns": {"prompt": "text"}}, file="wiki.txt")
    (tmp_path / "wiki.txt").write_bytes("第一行\r\n\nThe second.".encode())
    items = list(read_items(location))
    assert [(item.text, item.source.line) for item in items] == [("第一行", 1), ("The second.", 3)]


def test_turns_are_read_by_the_tags_of_the_entry(write: Any) -> None:
    entry = {
        "formatting": "sharegpt",
        "columns": {"messages": "chat", "system": "sys", "tools": "fns"},
        "tags": {
            "role_tag": "who",
            "content_tag": "said",
            "user_tag": "U",
            "assistant_tag": "A",
            "observation_tag": "O",
            "function_tag": "F",
        },
    }
    said = [("U", "time?"), ("F", CALL), ("O", "12:00"), ("A", "Noon.")]
    chat = [{"who": who, "said": what} for who, what in said]
    found = draft_of(write(entry, {"chat": chat, "sys": "Help.", "fns": '[{"name": "now"}]'}))
    assert isinstance(found.item, Example)
    assert turns(found.item.messages) == [
        ("system", "Help."),
        ("user", "time?"),
        ("assistant", ""),
        ("tool", "12:00"),
        ("assistant", "Noon."),
    ]
    assert found.item.messages[2].tool_calls[0].name == "now"
    assert found.item.tools == ({"name": "now"},)
    assert found.turns[1].path == "chat[0].said"
    assert found.turns[1].role_path == "chat[0].who"


def test_a_tag_that_is_not_listed_is_no_role(write: Any) -> None:
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user"}
    entry = {
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": tags | {"assistant_tag": "assistant"},
    }
    chat = [{"role": "system", "content": "Help."}, {"role": "user", "content": "Hi"}]
    (error,) = errors_of(write(entry, {"messages": chat}))
    assert (error.rule, error.path) == ("shape.unlisted_role", "messages[0].role")
    assert error.what == "The role 'system' is not among the tags of the entry: user, assistant."


def test_a_first_system_turn_goes_before_the_column(write: Any) -> None:
    entry = {"formatting": "sharegpt", "columns": {"messages": "conversations", "system": "s"}}
    chat = [{"from": "system", "value": "turn"}, *CHAT]
    found = only(write(entry, {"conversations": chat, "s": "column"}))
    assert turns(found.messages)[0] == ("system", "turn")


def test_openai_turns_keep_their_calls(write: Any) -> None:
    tags = {
        "role_tag": "role",
        "content_tag": "content",
        "user_tag": "user",
        "assistant_tag": "assistant",
        "observation_tag": "tool",
        "function_tag": "function",
        "system_tag": "system",
    }
    entry = {"formatting": "openai", "columns": {"messages": "m", "system": "s"}, "tags": tags}
    call = {"id": "c1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
    rows = [
        {"role": "user", "content": "time?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "12:00", "tool_call_id": "c1"},
        {"role": "function", "content": CALL},
        {"role": "tool", "content": "13:00"},
        {"role": "assistant", "content": "Noon.", "weight": 0},
    ]
    found = draft_of(write(entry, {"m": rows, "s": "Help."}))
    assert isinstance(found.item, Example)
    roles = ["system", "user", "assistant", "tool", "assistant", "tool", "assistant"]
    assert [message.role for message in found.item.messages] == roles
    assert [c.name for m in found.item.messages for c in m.tool_calls] == ["now", "now"]
    assert found.item.messages[4].tool_calls[0].arguments == '{"zone": "UTC"}'
    assert found.item.messages[-1].train is None  # LLaMA-Factory knows no weight
    assert found.unused_keys == ("m[].weight",)
    assert [turn.path for turn in found.turns[:2]] == ["s", "m[0].content"]


def test_the_words_detailed_thinking_off_are_not_added(write: Any) -> None:
    found = only(write({"formatting": "openai"}, {"conversations": CHAT}))
    assert turns(found.messages) == [("user", "Hi"), ("assistant", "Hello!")]


@pytest.mark.parametrize("formatting", ["sharegpt", "openai"])
def test_ranking_of_chats_has_two_single_turns(write: Any, formatting: str) -> None:
    columns = {"messages": "conversations", "chosen": "good", "rejected": "bad"}
    entry = {"formatting": formatting, "ranking": True, "columns": columns}
    row = {"conversations": CHAT[:1], "good": CHAT[1], "bad": {"from": "gpt", "value": "No."}}
    found = draft_of(write(entry, row))
    assert isinstance(found.item, Preference)
    assert turns(found.item.prompt) == [("user", "Hi")]
    assert turns(found.item.chosen) == [("assistant", "Hello!")]
    assert turns(found.item.rejected) == [("assistant", "No.")]
    assert [turn.path for turn in found.turns][1:] == ["good.value", "bad.value"]


def test_ranking_of_alpaca_has_two_texts(write: Any) -> None:
    columns = {"prompt": "q", "chosen": "good", "rejected": "bad", "system": "s"}
    row = {"q": "Hi", "good": "Hello!", "bad": "No.", "s": "Be kind."}
    found = only(write({"ranking": True, "columns": columns}, row))
    assert turns(found.prompt) == [("system", "Be kind."), ("user", "Hi")]
    assert (turns(found.chosen), turns(found.rejected)) == (
        [("assistant", "Hello!")],
        [("assistant", "No.")],
    )


def test_ranking_without_columns_takes_the_answers_of_a_list(write: Any) -> None:
    location = write({"ranking": True}, {"instruction": "Hi", "output": ["Hello!", "No."]})
    found = draft_of(location)
    assert isinstance(found.item, Preference)
    assert turns(found.item.rejected) == [("assistant", "No.")]
    assert [turn.path for turn in found.turns] == ["instruction", "output[0]", "output[1]"]
    (error, *_) = errors_of(write({"ranking": True}, {"instruction": "Hi", "output": "Hello!"}))
    assert (error.rule, error.path) == ("shape.not_pair", "output")


@pytest.mark.parametrize("label", [True, False])
def test_a_kto_tag_labels_the_last_answer(write: Any, label: bool) -> None:
    chat = {"formatting": "sharegpt", "columns": {"messages": "conversations", "kto_tag": "ok"}}
    alpaca = {"columns": {"prompt": "q", "response": "a", "kto_tag": "ok"}}
    for location in (
        write(chat, {"conversations": CHAT, "ok": label}),
        write(alpaca, {"q": "Hi", "a": "Hello!", "ok": label}),
    ):
        found = only(location)
        assert isinstance(found, UnpairedPreference)
        assert (turns(found.prompt), found.label) == ([("user", "Hi")], label)
        assert turns(found.completion) == [("assistant", "Hello!")]


def test_findings_name_the_files_own_keys(write: Any) -> None:
    columns = {"prompt": "q", "response": "a", "history": "h", "tools": "fns"}
    row = {"q": 5, "a": None, "h": [["only one"]], "fns": "no json"}
    errors = errors_of(write({"columns": columns}, row))
    assert sorted(error.path for error in errors) == ["a", "fns", "h", "q"]
    assert all(error.what.startswith((error.path, "After")) for error in errors)
    entry = {"columns": {"prompt": "q", "response": "a", "kto_tag": "ok"}}
    (error,) = errors_of(write(entry, {"q": "Hi", "a": "Hello!", "ok": 7}))
    assert error.what == "ok is 7, not true or false."
    (error,) = errors_of(write(entry, {"q": "Hi", "ok": True}))
    assert (error.what, error.path) == ("a is missing.", "a")


def test_a_missing_column_is_told_whatever_the_kind(write: Any) -> None:
    columns = {"prompt": "q", "chosen": "good", "rejected": "bad"}
    ranking = {"ranking": True, "columns": columns}
    kto = {"columns": {"prompt": "q", "response": "a", "kto_tag": "ok"}}
    chat = {"formatting": "sharegpt", "columns": {"messages": "q", "kto_tag": "ok"}}
    row = {"instruction": "Hi", "a": "A", "good": "A", "bad": "B", "ok": True}
    for entry in (ranking, kto, chat):
        (error,) = errors_of(write(entry, row))
        assert (error.rule, error.what, error.path) == ("shape.no_q", "q is missing.", "q")


def test_what_is_wrong_with_the_json_is_told_too(write: Any, tmp_path: Path) -> None:
    location = write({"columns": {"prompt": "q", "response": "a"}})
    (tmp_path / "set.jsonl").write_text('{"q": "Hi", "q": "Hello", "a": "A"}\n')
    (error,) = errors_of(location)
    assert error.rule == "json.duplicate_key"


def test_check_speaks_of_the_files_own_keys(write: Any) -> None:
    entry = {"formatting": "sharegpt", "columns": {"messages": "chat"}}
    report = check(write(entry, {"chat": [CHAT[1], CHAT[0]]}, {"chat": CHAT}))
    assert (report.format, report.n_records, report.n_usable) == ("sharegpt", 2, 1)
    assert {finding.path for finding in report.findings if finding.severity == "error"} == {
        "chat[0].from",
        "chat[1].from",
    }


def test_a_record_stays_as_the_file_has_it(write: Any) -> None:
    location = write({"columns": {"prompt": "q", "response": "a"}}, {"q": "Hi", "a": "Hello!"})
    record = draft_of(location).record
    assert record.raw == b'{"q": "Hi", "a": "Hello!"}\n'
    assert record.value == {"q": "Hi", "a": "Hello!"}
    assert str(record.source).endswith("set.jsonl:1")


def test_what_is_passed_on_can_be_read_without_the_registry(write: Any, tmp_path: Path) -> None:
    entry = {"columns": {"prompt": "q", "response": "a", "system": "s"}}
    location = write(entry, {"q": "Hi", "a": "Hello!", "s": "Be kind.", "group": "g"})
    sample_file(location, tmp_path / "sample.jsonl", Draw(n=1))
    assert only(str(tmp_path / "sample.jsonl")) == replace(
        only(location), source=Source(str(tmp_path / "sample.jsonl"), 1)
    )


def test_a_repaired_set_keeps_the_files_own_keys(write: Any, tmp_path: Path) -> None:
    location = write(
        {"columns": {"prompt": "q", "response": "a"}},
        {"q": "Hi", "a": "Hel\u0007lo!", "id": 1},
        {"q": "No answer"},
        {"q": "Hi again", "a": "Hello!"},
    )
    fix(location, tmp_path / "fixed.jsonl", how="repair")
    lines = (tmp_path / "fixed.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"q": "Hi", "a": "Hello!", "id": 1},
        {"q": "Hi again", "a": "Hello!"},
    ]


def test_group_and_tags_are_read_where_they_are_ours(write: Any) -> None:
    row = {"instruction": "Hi", "output": "Hello!"}
    found = only(write({}, row | {"group": "en-1", "tags": {"language": "en"}}))
    assert (found.group, found.tags) == ("en-1", {"language": "en"})
    found = draft_of(write({}, row | {"group": ["a"], "tags": ["math"]}))
    assert (found.item.group, found.item.tags) == (None, {})
    assert found.unused_keys == ("group", "tags")


def test_a_plain_chat_is_read_by_the_entry_too(write: Any) -> None:
    tags = {"role_tag": "role", "content_tag": "content"}
    tags |= {"user_tag": "user", "assistant_tag": "assistant"}
    entry = {"formatting": "openai", "columns": {"messages": "messages"}, "tags": tags}
    chat = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]
    location = write(entry, {"messages": [{"role": "system", "content": "Help."}, *chat]})
    with pytest.raises(DataError, match="'system' is not among the tags"):
        only(location)
