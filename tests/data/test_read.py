from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuneval.data.example import Example, Message, Source
from tuneval.data.read import read
from tuneval.errors import DataError, TunevalError, UsageError

CHAT = {
    "messages": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello!"},
    ]
}


def as_lines(*rows: Any) -> bytes:
    """JSON lines."""
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data.jsonl"


def read_bytes(file: Path, content: bytes, format: str = "auto") -> list[Example]:
    """The examples of a file with that content."""
    file.write_bytes(content)
    return list(read(file, format))


def refusal(file: Path, content: bytes, format: str = "auto") -> TunevalError:
    """The error that reading this content ends in."""
    with pytest.raises(TunevalError) as caught:
        read_bytes(file, content, format)
    return caught.value


def test_messages_keep_turns_group_tags_and_train(file: Path) -> None:
    row = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello!", "train": False},
        ],
        "group": "en-1",
        "tags": {"language": "en"},
    }
    (example,) = read_bytes(file, as_lines(row))
    assert example == Example(
        (
            Message("system", "Be brief."),
            Message("user", "Hi"),
            Message("assistant", "Hello!", train=False),
        ),
        Source(str(file), 1),
        "en-1",
        {"language": "en"},
    )


def test_alpaca_joins_instruction_and_input_as_llamafactory_does(file: Path) -> None:
    # LLaMA-Factory: "\n".join of those of (instruction, input) that are not empty.
    rows = [
        {"instruction": "Add.", "input": "1, 2", "output": "3"},
        {"instruction": "Add.", "input": "", "output": "?"},
        {"instruction": "", "input": "1, 2", "output": "3"},
        {"instruction": "Add.", "output": "?", "input": None, "system": None, "history": None},
    ]
    prompts = [e.messages[0].content for e in read_bytes(file, as_lines(*rows))]
    assert prompts == ["Add.\n1, 2", "Add.", "1, 2", "Add."]


def test_alpaca_has_system_and_history(file: Path) -> None:
    row = {
        "system": "Be kind.",
        "history": [["a", "b"], ["c", "d"]],
        "instruction": "e",
        "output": "f",
    }
    (example,) = read_bytes(file, as_lines(row))
    assert [(m.role, m.content) for m in example.messages] == [
        ("system", "Be kind."),
        ("user", "a"),
        ("assistant", "b"),
        ("user", "c"),
        ("assistant", "d"),
        ("user", "e"),
        ("assistant", "f"),
    ]


def test_blank_lines_count_as_lines(file: Path) -> None:
    content = b"\n" + as_lines(CHAT) + b"  \r\n" + as_lines(CHAT)
    assert [e.source.line for e in read_bytes(file, content)] == [2, 4]


def test_line_ends_inside_a_text_are_no_line_ends(file: Path) -> None:
    row = {"messages": [{"role": "user", "content": "a\u2028b\u0085c\x0bd"}]}
    content = as_lines(row, CHAT).replace(b"\n", b"\r\n")
    assert [e.source.line for e in read_bytes(file, content)] == [1, 2]


def test_the_last_line_needs_no_end(file: Path) -> None:
    assert len(read_bytes(file, as_lines(CHAT, CHAT)[:-1])) == 2


def test_lines_longer_than_any_block_are_read(file: Path) -> None:
    long = {"messages": [{"role": "user", "content": "x" * 3_000_000}]}
    found = read_bytes(file, as_lines(CHAT, long, CHAT))
    assert [len(e.messages[0].content) for e in found] == [2, 3_000_000, 2]


def test_records_of_a_pretty_array_have_the_line_where_they_begin(file: Path) -> None:
    rows = [{"instruction": "a", "output": "b"}] * 3
    found = read_bytes(file, json.dumps(rows, indent=2).encode())
    assert [e.source.line for e in found] == [2, 6, 10]


def test_a_compact_array_is_read(file: Path) -> None:
    assert len(read_bytes(file, json.dumps([CHAT] * 3).encode())) == 3


def test_byte_order_mark_does_not_hide_the_first_record(file: Path) -> None:
    assert len(read_bytes(file, b"\xef\xbb\xbf" + as_lines(CHAT, CHAT))) == 2


def test_the_format_is_found_by_what_most_records_have(file: Path) -> None:
    alpaca = {"instruction": "a", "output": "b"}
    error = refusal(file, as_lines(alpaca, CHAT, alpaca))
    assert error.where == f"{file}:2"
    assert "format messages" in error.what
    assert "read as alpaca" in error.what


def test_missing_file_offers_the_near_name(tmp_path: Path) -> None:
    (tmp_path / "tickets.jsonl").write_bytes(as_lines(CHAT))
    with pytest.raises(UsageError) as caught:
        read(tmp_path / "tikets.jsonl")
    assert "There is no file" in caught.value.what
    assert "tickets.jsonl" in caught.value.mend
    assert caught.value.exit_status == 2


def test_missing_file_without_a_near_name_lists_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"")
    with pytest.raises(UsageError) as caught:
        read(tmp_path / "something-else.txt")
    assert "a.jsonl" in caught.value.mend
    with pytest.raises(UsageError) as caught:
        read(tmp_path / "no" / "folder" / "x.jsonl")
    assert "no folder" in caught.value.mend


def test_a_folder_without_a_data_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(b"")
    with pytest.raises(UsageError) as caught:
        read(tmp_path)
    assert "no data file" in caught.value.what
    assert "README.md" in caught.value.mend


def test_an_unknown_format_offers_the_near_name(file: Path) -> None:
    error = refusal(file, as_lines(CHAT), "mesages")
    assert isinstance(error, UsageError)
    assert "messages" in error.mend


def test_broken_json_in_line_17_is_one_clear_message(file: Path) -> None:
    lines = [*[as_lines(CHAT)] * 16, b'{"messages": [{"role": "user",}]}\n', as_lines(CHAT)]
    error = refusal(file, b"".join(lines))
    assert isinstance(error, DataError)
    assert error.where == f"{file}:17"
    assert "not valid JSON" in error.what
    assert "comma" in error.what
    assert error.mend


def test_records_before_a_broken_one_are_given(file: Path) -> None:
    file.write_bytes(as_lines(CHAT, CHAT) + b"{oops\n")
    found = read(file)
    assert [next(found).source.line, next(found).source.line] == [1, 2]
    with pytest.raises(DataError):
        next(found)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_utf_16_and_32_are_named(file: Path, encoding: str) -> None:
    error = refusal(file, as_lines(CHAT).decode().encode(encoding))
    assert "not UTF-8" in error.what
    assert "iconv" in error.mend


def test_a_byte_that_is_not_utf8_has_its_offset(file: Path) -> None:
    good = as_lines(CHAT)
    error = refusal(file, good + as_lines(CHAT).replace(b"Hi", b"H\xff"))
    assert error.where == f"{file}:2"
    assert f"offset {len(good) + good.index(b'Hi') + 1} " in error.what


def test_the_offset_counts_a_byte_order_mark(file: Path) -> None:
    content = b"\xef\xbb\xbf" + as_lines(CHAT).replace(b"Hi", b"\xff")
    error = refusal(file, content)
    assert f"offset {content.index(0xFF)} " in error.what


def test_gbk_text_is_recognised(file: Path) -> None:
    row = {"messages": [{"role": "user", "content": "你好，我的订单在哪里？"}]}
    error = refusal(file, json.dumps(row, ensure_ascii=False).encode("gbk"))
    assert "GB18030" in error.what
    assert "iconv -f GB18030" in error.mend


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (b"\n \n", "no record"),
        (b"[]", "no record"),
        (b"\xef\xbb\xbf", "no record"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"PAR1\x00", "Parquet"),
        (b'{\n  "messages": []\n}\n', "several lines"),
        (b"[", "not closed"),
        (b"[1, 2]", "a number, not an object"),
        (b"42\n", "a number, not an object"),
        (b'{"a": 1} {"b": 2}\n', "goes on"),
        (b'{"a": 1},\n', "comma"),
        (b'[{"messages": [{"role": "user", "content": "a"}]}] x', "goes on"),
        (b'{"conversations": []}\n', "conversations"),
        (b'{"messages": [], "instruction": "", "output": ""}\n', "equally well"),
        (b'{"messages": "[]"}\n', "a text"),
        (b'{"messages": []}\n', "empty list"),
        (b'{"messages": [3]}\n', "messages[0]"),
        (b'{"messages": [{"content": "a"}]}\n', "messages[0].role is missing"),
        (b'{"messages": [{"role": "user"}]}\n', "messages[0].content is missing"),
        (b'{"messages": [{"role": "user", "content": null}]}\n', "is null"),
        (b'{"messages": [{"role": "user", "content": 5}]}\n', "is a number"),
        (b'{"messages": [{"role": "user", "content": [{}]}]}\n', "list of parts"),
        (b'{"messages": [{"role": "User", "content": "a"}]}\n', "'User'"),
        (b'{"messages": [{"role": "user", "content": "a", "train": 1}]}\n', "train"),
        (b'{"messages": [{"role": "user", "content": "a"}], "group": ""}\n', "group is empty"),
        (b'{"messages": [{"role": "user", "content": "a"}], "group": true}\n', "group"),
        (b'{"messages": [{"role": "user", "content": "a"}], "tags": []}\n', "tags is a list"),
        (b'{"messages": [{"role": "user", "content": "\\ud83d"}]}\n', "one half"),
        (b'{"messages": [], "messages": []}\n', "stands twice"),
        (b'{"instruction": 5, "output": "b"}\n', "instruction is a number"),
        (b'{"instruction": "a", "output": null}\n', "output is null"),
        (b'{"instruction": "a", "output": "b", "history": [["c"]]}\n', "history"),
    ],
)
def test_what_cannot_be_an_example_is_refused_in_one_message(
    file: Path, content: bytes, what: str
) -> None:
    error = refusal(file, content)
    assert isinstance(error, DataError)
    assert what in error.what
    assert error.where.startswith(f"{file}:")
    assert error.mend


def test_insisting_on_a_format_names_the_missing_key(file: Path) -> None:
    error = refusal(file, b'{"instruction": "a", "answer": "b"}\n', "alpaca")
    assert error.what == "output is missing."


def test_a_group_may_be_a_number(file: Path) -> None:
    assert read_bytes(file, as_lines(CHAT | {"group": 7}))[0].group == "7"


def test_a_first_line_that_breaks_off_is_no_pretty_printed_file(file: Path) -> None:
    error = refusal(file, b'{"messages": [\n' + as_lines(CHAT))
    assert "breaks off" in error.what


def test_records_come_from_an_address_as_from_a_path() -> None:
    import fsspec

    with fsspec.open("memory://set/chat.jsonl", "wb") as remote:
        remote.write(as_lines(CHAT, CHAT))
    found = list(read("memory://set/chat.jsonl"))
    assert [str(e.source) for e in found] == [
        "memory://set/chat.jsonl:1",
        "memory://set/chat.jsonl:2",
    ]
    with pytest.raises(UsageError):
        read("memory://set/nosuch.jsonl")
