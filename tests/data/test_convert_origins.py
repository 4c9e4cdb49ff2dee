"""From any kind of set into any kind of file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuneval.data.convert import convert
from tuneval.data.fingerprint import data_hash
from tuneval.data.read import read
from tuneval.errors import UsageError

USER = {"role": "user", "content": "你好"}
ANSWER = {"role": "assistant", "content": "Hello!"}
CHAT = {"messages": [USER, ANSWER], "group": "g", "tags": {"n": 1}}
NAMED = {"messages": [USER | {"name": "Ann"}, ANSWER]}


def as_line(row: Any) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source.jsonl"


def rows(file: str | None) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines."""
    assert file is not None
    return [json.loads(line) for line in Path(file).read_bytes().splitlines()]


@pytest.mark.parametrize("ending", [".json", ".jsonl.gz", ".csv", ".tsv.bz2", ".parquet", ".arrow"])
@pytest.mark.parametrize("to", ["messages", "sharegpt"])
def test_any_kind_of_file_can_be_written_and_gives_back_the_same(
    source: Path, ending: str, to: str
) -> None:
    if ending in (".parquet", ".arrow"):
        pytest.importorskip("pyarrow")
    call = {"function": {"name": "f", "arguments": {"city": "Zürich", "days": [1, 2.5]}}}
    calling = {"role": "assistant", "content": "", "tool_calls": [call]}
    tool = {"role": "tool", "content": 'rain,\n"snow"'}
    source.write_bytes(
        as_line(CHAT)
        + as_line({"messages": [USER, calling, tool, ANSWER], "tools": [{"name": "f"}]})
        + as_line(CHAT | {"group": "h", "tags": {}})
    )
    there = convert(source, source.with_name(f"there{ending}"), to=to)
    back = convert(there.target, source.with_name("back.jsonl"), to="messages")
    assert (there.n_written, back.n_written, back.n_rejected, back.unread_keys) == (3, 3, 0, {})
    assert there.data_hash == back.data_hash == data_hash(read(source))
    assert [(e.group, e.tags) for e in read(back.target)] == [
        (e.group, e.tags) for e in read(source)
    ]


def test_a_record_of_a_table_is_rejected_as_its_value(source: Path) -> None:
    pytest.importorskip("pyarrow")
    source.write_bytes(as_line(CHAT) + as_line(NAMED))
    table = convert(source, source.with_name("table.parquet"), to="messages").target
    done = convert(table, source.with_name("target.jsonl"), to="alpaca")
    (row,) = rows(done.rejected_file)
    assert row["where"] == f"{table}:row 2"
    assert row["original"] == NAMED


def test_a_set_can_be_written_to_an_address() -> None:
    import fsspec

    with fsspec.open("memory://convert/source.jsonl", "wb") as remote:
        remote.write(as_line(CHAT) + as_line(NAMED))
    done = convert("memory://convert/source.jsonl", "memory://convert/target.jsonl", to="sharegpt")
    assert done.rejected_file == "memory://convert/target.rejects.jsonl"
    assert len(list(read(done.target))) == 1
    with fsspec.open(done.rejected_file, "rb") as remote:
        assert json.loads(remote.read())["original"] == as_line(NAMED).decode()
    with pytest.raises(UsageError, match="overwrite"):
        convert(done.target, done.target, to="alpaca")


def test_an_entry_of_a_registry_is_a_source(tmp_path: Path) -> None:
    columns = {"prompt": "q", "response": "a"}
    (tmp_path / "mine.json").write_bytes(b"[" + as_line({"q": "Why?", "a": "So."}) + b"]")
    (tmp_path / "dataset_info.json").write_bytes(
        as_line({"mine": {"file_name": "mine.json", "columns": columns}})
    )
    done = convert(f"{tmp_path}/dataset_info.json#mine", tmp_path / "out.jsonl", to="alpaca")
    assert rows(done.target) == [{"instruction": "Why?", "input": "", "output": "So."}]
    with pytest.raises(UsageError, match="overwrite"):
        convert(f"{tmp_path}/dataset_info.json#mine", tmp_path / "mine.json", to="alpaca")


def test_a_target_inside_the_folder_that_is_read_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(as_line(CHAT))
    (folder / "b.jsonl").write_bytes(as_line(CHAT))
    with pytest.raises(UsageError, match="would lie in"):
        convert(folder, folder / "all.jsonl", to="alpaca")
    assert convert(folder, tmp_path / "all.jsonl", to="alpaca").n_written == 2
