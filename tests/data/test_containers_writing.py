"""What is written reads back as it was, or is refused before a file appears."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuneval.data.containers import kind_of_container, records
from tuneval.data.containers.writing import WRITERS, open_writer, writable
from tuneval.data.read import read
from tuneval.data.record import Record
from tuneval.data.write import as_row
from tuneval.errors import DataError, StorageError, UsageError

CALL = {"type": "function", "function": {"name": "f", "arguments": {"city": "Rome", "n": None}}}
CHATS: list[dict[str, Any]] = [
    {
        "messages": [
            {"role": "user", "content": 'a "b", c;\n|d\t'},
            {"role": "assistant", "content": "", "tool_calls": [CALL]},
            {"role": "tool", "content": "😀", "tool_call_id": "1"},
        ],
        "tools": [{"name": "f", "parameters": {"properties": {}, "default": None}}],
        "tags": {"n": 1.5, "list": [1, "a", None]},
        "group": "7",
    },
    {
        "messages": [
            {"role": "user", "content": "你好"},
            {"role": "assistant", "content": "b", "train": False},
        ],
        "tools": [{"name": "g", "parameters": "none"}],
    },
    {
        "messages": [
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [CALL | {"function": {"name": "g", "arguments": {"city": [1]}}}],
            }
        ]
    },
]
PACKED = [".jsonl.gz", ".jsonl.zst", ".json.bz2", ".csv.xz", ".tsv.gz"]
same_folder = settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def write(file: Path, rows: list[dict[str, Any]]) -> None:
    with open_writer(file) as add:
        for row in rows:
            add(row)


def read_back(file: Path) -> list[Any]:
    """The values of the records; nothing else may be found."""
    found = list(records(file))
    assert all(isinstance(item, Record) and item.findings == () for item in found), found
    return [item.value for item in found if isinstance(item, Record)]


def refusal(file: Path, rows: list[dict[str, Any]]) -> DataError:
    """The error that writing ends in; nothing is left of it."""
    with pytest.raises(DataError) as caught:
        write(file, rows)
    assert list(file.parent.iterdir()) == []
    assert caught.value.mend
    return caught.value


@pytest.mark.parametrize("ending", [*WRITERS, *PACKED])
def test_conversations_come_back_as_they_were(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"data{ending}"
    write(file, CHATS)
    assert read_back(file) == CHATS
    assert [as_row(example) for example in read(file)][1]["messages"] == CHATS[1]["messages"]
    assert [name.name for name in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("ending", [*WRITERS, *PACKED])
def test_a_file_without_records_holds_none(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"data{ending}"
    write(file, [])
    assert [item for item in records(file) if isinstance(item, Record)] == []


@pytest.mark.parametrize("ending", [".jsonl.gz", ".jsonl.zst", ".parquet"])
def test_the_same_records_give_the_same_bytes(tmp_path: Path, ending: str) -> None:
    for name in ("a", "b"):
        write(tmp_path / f"{name}{ending}", CHATS)
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_an_array_has_an_element_on_each_line(tmp_path: Path) -> None:
    write(tmp_path / "a.json", [{"a": 1}, {"b": "中"}])
    assert (tmp_path / "a.json").read_text("utf-8") == '[\n{"a": 1},\n{"b": "中"}\n]\n'
    assert kind_of_container(tmp_path / "a.json") == "json array"


def test_other_tools_read_the_table_without_a_hint(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", CHATS)
    schema = pq.read_schema(tmp_path / "a.parquet")
    assert str(schema.field("messages").type).startswith("list<")
    assert schema.field("tools").type.extension_name == "arrow.json"


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
floats = st.floats(allow_nan=False, allow_infinity=False)
leaves = st.booleans() | st.integers(-(2**63), 2**63 - 1) | floats | texts
free = st.recursive(
    st.none() | leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
turns = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant"]), "content": texts},
        optional={"train": st.booleans(), "weight": st.integers(0, 1)},
    ),
    max_size=3,
)
rows = st.lists(
    st.fixed_dictionaries(
        {"output": texts, "messages": turns},
        optional={
            "tags": st.dictionaries(texts, free, max_size=3),
            "tools": st.lists(st.dictionaries(texts, free, max_size=2), max_size=2),
            "input": texts.filter(bool),
            "history": st.lists(st.lists(texts, max_size=2), max_size=2),
            "label": st.booleans(),
            "group": texts.filter(bool),
        },
    ),
    min_size=1,
    max_size=5,
)


@given(rows, st.sampled_from([".csv", ".tsv", ".parquet", ".arrow", ".json", ".jsonl.gz"]))
@same_folder
def test_any_record_of_a_known_shape_comes_back(
    tmp_path: Path, some: list[dict[str, Any]], ending: str
) -> None:
    file = tmp_path / f"data{ending}"
    write(file, some)
    assert read_back(file) == some


any_value = st.recursive(
    st.none() | leaves | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
any_rows = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "tags", "messages", " c", "output"]), any_value),
    min_size=1,
    max_size=4,
)


def in_a_table(value: Any) -> Any:
    """The value as a table has it: a null is a missing key, but not inside JSON."""
    if isinstance(value, dict):
        return {
            key: part if key == "tags" else in_a_table(part)
            for key, part in value.items()
            if part is not None
        }
    return [in_a_table(part) for part in value] if isinstance(value, list) else value


def in_a_csv(row: dict[str, Any]) -> dict[str, Any]:
    """The record as CSV has it: an empty cell is a missing key in some columns."""
    return {
        key: value
        for key, value in row.items()
        if not (key in ("tags", "messages") and (value is None or value == ""))
    }


@given(any_rows, st.sampled_from([".csv", ".parquet", ".arrow"]))
@settings(same_folder, max_examples=400)
def test_a_container_holds_a_record_as_it_is_or_refuses_it(
    tmp_path: Path, some: list[dict[str, Any]], ending: str
) -> None:
    file = tmp_path / f"data{ending}"
    file.unlink(missing_ok=True)
    try:
        write(file, some)
    except DataError:
        assert not file.exists()
        return
    as_held = in_a_csv if ending == ".csv" else in_a_table
    assert read_back(file) == [as_held(row) for row in some]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (["a", 1], "a is a whole number, and in record 1 it is a text; a column has one type"),
        ([[1], ["b"]], "a[] is a text, and in record 1 it is a whole number"),
        ([{"b": 1}, {"b": []}], "a.b is a list, and in record 1 it is a whole number"),
        ([True, 1], "a is a whole number, and in record 1 it is true or false"),
        ([2**63], "more than 64 bits"),
        ([2**60, 0.5], "is a fraction in one record"),
        ([0.5, 2**60], "is a fraction in one record"),
        ([{}], "a is always an empty object"),
        (["\ud83d"], "one half of a character"),
        ([{"tags": "\ud83d"}], "one half of a character"),
        ([float("nan")], "JSON cannot hold it"),
    ],
)
@pytest.mark.parametrize("ending", [".parquet", ".arrow"])
def test_a_column_has_one_type(tmp_path: Path, values: list[Any], why: str, ending: str) -> None:
    error = refusal(tmp_path / f"data{ending}", [{"a": value} for value in values])
    assert why in error.what


def test_whole_numbers_among_fractions_are_fractions(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", [{"n": 1}, {"n": 0.5}, {"n": -(2**53)}])
    assert read_back(tmp_path / "a.parquet") == [{"n": 1}, {"n": 0.5}, {"n": -(2**53)}]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"score": 0.5}, "'score' is a number, and cells are texts"),
        ({"meta": {"a": 1}}, "'meta' is an object, and cells are texts"),
        ({"output": None}, "'output' is null, and cells are texts"),
        ({"output": "\ud83d"}, "one half of a character"),
        ({"tags": {"a": "\ud83d"}}, "one half of a character"),
        ({"prompt": '[{"role": "user"}]'}, "'prompt' would be read as a list"),
        ({"label": "true"}, "'label' would be read as true or false"),
        ({"messages": {"a": 1}}, "'messages' would be read as a text"),
        ({" a": "b"}, "cannot name a column"),
        ({"": "b"}, "cannot name a column"),
    ],
)
def test_a_cell_that_would_not_read_back_is_refused(
    tmp_path: Path, row: dict[str, Any], why: str
) -> None:
    error = refusal(tmp_path / "data.csv", [{"output": "fine"}, row])
    assert error.what.startswith("Record 2 cannot be written")
    assert why in error.what


def test_a_missing_text_is_refused_by_csv(tmp_path: Path) -> None:
    error = refusal(tmp_path / "data.csv", [{"a": "x", "output": "y"}, {"a": "z"}])
    assert "Record 2 cannot be written: it has no 'output'" in error.what


@pytest.mark.parametrize("key", ["PAR1", "a;b|c", "[a", "{a", "%PDF", "BZh", '"', "中文", "a\nb"])
def test_no_key_makes_csv_look_like_something_else(tmp_path: Path, key: str) -> None:
    some = [{key: "1", "b": "2"}, {key: "", "b": ""}]
    write(tmp_path / "a.csv", some)
    assert read_back(tmp_path / "a.csv") == some


def test_json_carries_half_of_a_character_as_an_escape(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"a": "中\ud83d"}])
    assert json.loads((tmp_path / "a.jsonl").read_bytes()) == {"a": "中\ud83d"}


@pytest.mark.parametrize("ending", [".jsonl", ".json"])
def test_nan_is_no_json(tmp_path: Path, ending: str) -> None:
    error = refusal(tmp_path / f"a{ending}", [{"a": float("nan")}])
    assert "Record 1 cannot be written: JSON cannot hold it" in error.what


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".arrow"])
def test_a_record_without_keys_is_no_row(tmp_path: Path, ending: str) -> None:
    assert "no key at all" in refusal(tmp_path / f"a{ending}", [{}]).what


@pytest.mark.parametrize("name", ["data", "data.txt", "data.xlsx", "data.parquet.gz", "data.gz"])
def test_a_name_that_tells_no_container_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        writable(tmp_path / name)
    assert ".jsonl" in caught.value.mend
    with pytest.raises(UsageError), open_writer(tmp_path / name):
        raise AssertionError("the block must not be entered")


@pytest.mark.parametrize("ending", [*WRITERS, *PACKED])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, DataError])
def test_what_is_interrupted_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, ending: str, error: type[BaseException]
) -> None:
    file = tmp_path / f"data{ending}"
    file.write_bytes(b"old")

    def begin_and_fail() -> None:
        with open_writer(file) as add:
            add(CHATS[1])
            raise error("stop")

    with pytest.raises(error):
        begin_and_fail()
    assert file.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("ending", [".jsonl", ".json.gz", ".csv", ".parquet"])
def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError) as caught:
        write(tmp_path / f"data{ending}", CHATS)
    assert "No space left" in caught.value.what
    assert list(tmp_path.iterdir()) == []
