"""Parquet and Arrow: rows as JSON values, and what can be read of damaged files."""

from __future__ import annotations

import datetime
import decimal
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tuneval.data.containers import kind_of_container, records
from tuneval.data.finding import Finding
from tuneval.data.read import read
from tuneval.data.record import Record
from tuneval.errors import MissingPackageError

CALL = {"type": "function", "function": {"name": "f", "arguments": {"city": "Rome"}}}
ROWS: list[dict[str, Any]] = [
    {
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "yo", "train": False},
        ],
        "group": "a",
    },
    {
        "messages": [
            {"role": "user", "content": "你好"},
            {"role": "assistant", "tool_calls": [CALL]},
        ]
    },
]
kinds = pytest.mark.parametrize("kind", ["parquet", "arrow file", "arrow stream"])


def write(file: Path, kind: str, table: pa.Table, n_rows: int = 1000) -> None:
    """A table as a file, parted every so many rows."""
    if kind == "parquet":
        pq.write_table(
            table, file, row_group_size=n_rows, compression="NONE", write_page_checksum=True
        )
        return
    new = pa.ipc.new_file if kind == "arrow file" else pa.ipc.new_stream
    with new(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=n_rows)


def name(kind: str) -> str:
    return "data." + kind.split()[0]


def errors(file: Path) -> tuple[list[Any], list[str]]:
    """The values of the records, None for broken ones, and every finding as text."""
    values, findings = [], []
    for item in records(file):
        if isinstance(item, Record):
            values.append(item.value)
        for finding in [item] if isinstance(item, Finding) else item.findings:
            findings.append(f"{finding.rule} {finding.where.rpartition(':')[2]}: {finding.what}")
    return values, findings


@kinds
def test_rows_are_records_without_the_nulls_of_missing_keys(tmp_path: Path, kind: str) -> None:
    file = tmp_path / name(kind)
    write(file, kind, pa.Table.from_pylist(ROWS), n_rows=1)
    assert errors(file) == (ROWS, [])
    found = [item for item in records(file) if isinstance(item, Record)]
    assert [str(item.source) for item in found] == [f"{file}:row 1", f"{file}:row 2"]
    assert [item.raw for item in found] == [b"", b""]
    assert kind_of_container(file) == kind.split()[0]
    assert [len(example.messages) for example in read(file)] == [2, 2]


def test_columns_that_are_not_json_are_made_so(tmp_path: Path) -> None:
    table = pa.table(
        {
            "when": [datetime.datetime(2026, 1, 2), None],
            "price": [decimal.Decimal("1.50"), None],
            "bytes": [b"text", "中".encode()],
            "map": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())),
            "word": pa.array(["x", "x"]).dictionary_encode(),
            "large": pa.array(["y", None], pa.large_string()),
            "numbers": pa.array([[1.5, None], None], pa.large_list(pa.float32())),
        }
    )
    file = tmp_path / "a.arrow"
    write(file, "arrow file", table)
    assert errors(file) == (
        [
            {
                "when": "2026-01-02T00:00:00",
                "price": "1.50",
                "bytes": "text",
                "map": {"a": 1},
                "word": "x",
                "large": "y",
                "numbers": [1.5, None],
            },
            {"bytes": "中", "map": {}, "word": "x"},
        ],
        [],
    )


def test_what_json_cannot_hold_is_named_at_its_row(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    table = pa.table(
        {"text": ["a", "b", "c"], "n": [1.0, float("nan"), 2.0], "i": [b"a", b"b", b"\xff"]}
    )
    write(file, "parquet", table)
    _, findings = errors(file)
    assert [finding.split(":")[0] for finding in findings] == [
        "json.nan row 2",
        "shape.binary row 3",
    ]


def test_json_columns_of_datasets_are_read_as_their_values(tmp_path: Path) -> None:
    # What `datasets` 5 makes of records whose values have different types.
    inner = pa.field("element", pa.struct([("role", pa.string()), pa.field("content", pa.json_())]))
    storage = pa.array(
        [[{"role": "user", "content": '"a"'}, {"role": "user", "content": '{"b": [1]}'}]],
        pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])),
    )
    texts = storage.flatten().field("content")
    struct = pa.StructArray.from_arrays(
        [storage.flatten().field("role"), pa.ExtensionArray.from_storage(pa.json_(), texts)],
        fields=list(inner.type),
    )
    messages = pa.ListArray.from_arrays(pa.array([0, 2], pa.int32()), struct)
    file = tmp_path / "a.parquet"
    write(file, "parquet", pa.table({"messages": messages}))
    value = {
        "messages": [{"role": "user", "content": "a"}, {"role": "user", "content": {"b": [1]}}]
    }
    assert errors(file) == ([value], [])


def test_lists_that_a_table_has_as_text_are_lists(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    text = json.dumps(ROWS[0]["messages"])
    write(file, "parquet", pa.table({"messages": [text], "output": [text]}))
    assert errors(file) == ([{"messages": ROWS[0]["messages"], "output": text}], [])


def test_two_columns_of_one_name_are_named(tmp_path: Path) -> None:
    file = tmp_path / "a.arrow"
    columns = [pa.array(["a"]), pa.array(["b"])]
    write(file, "arrow file", pa.Table.from_arrays(columns, names=["text", "text"]))
    assert errors(file)[1][0].startswith("file.duplicate_column row 1")


@pytest.fixture(scope="module")
def numbered() -> pa.Table:
    return pa.table({"text": [f"row {i} " + "x" * (i % 50) for i in range(5000)]})


def test_of_parquet_only_the_damaged_group_is_lost(tmp_path: Path, numbered: pa.Table) -> None:
    file = tmp_path / "a.parquet"
    write(file, "parquet", numbered)
    file.write_bytes(file.read_bytes().replace(b"row 1500 ", b"row ???? "))
    values, findings = errors(file)
    texts = numbered["text"].to_pylist()
    assert [value["text"] for value in values] == texts[:1000] + texts[2000:]
    assert len(findings) == 1
    assert findings[0].startswith("file.damaged row 1001: The rows 1001 to 2000 cannot be read")
    assert [str(i.source) for i in records(file) if isinstance(i, Record)][-1].endswith("row 5000")


@kinds
def test_of_a_file_cut_short_what_is_there_is_read(
    tmp_path: Path, numbered: pa.Table, kind: str
) -> None:
    file = tmp_path / name(kind)
    write(file, kind, numbered)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    values, findings = errors(file)
    assert findings
    assert all(finding.startswith("file.damaged") for finding in findings)
    # Parquet has its index at the end; Arrow is read up to the batch that was cut.
    n_expected = 0 if kind == "parquet" else 2000
    assert [value["text"] for value in values] == numbered["text"].to_pylist()[:n_expected]


@kinds
def test_no_damage_ends_in_a_traceback(tmp_path: Path, numbered: pa.Table, kind: str) -> None:
    file = tmp_path / name(kind)
    write(file, kind, pa.Table.from_pylist(ROWS * 20), n_rows=10)
    content = file.read_bytes()
    choice = random.Random(7)
    for _ in range(60):
        broken = bytearray(content)
        for _ in range(choice.randint(1, 12)):
            broken[choice.randrange(8, len(broken))] = choice.randrange(256)
        end = choice.randrange(8, len(broken)) if choice.random() < 0.3 else len(broken)
        file.write_bytes(broken[:end])
        errors(file)


def test_a_text_that_is_not_utf8_costs_its_row(tmp_path: Path) -> None:
    binary = pa.array([b"a", b"\xff", b"c"])
    text = pa.StringArray.from_buffers(3, *binary.buffers()[1:])
    file = tmp_path / "a.parquet"
    write(file, "parquet", pa.table({"text": text}))
    values, findings = errors(file)
    assert values == [{"text": "a"}, None, {"text": "c"}]
    assert findings[0].startswith("encoding.not_utf8 row 2")


def test_a_table_under_a_wrong_name_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    write(file, "parquet", pa.Table.from_pylist(ROWS))
    values, findings = errors(file)
    assert values == ROWS
    assert findings[0].startswith("file.misnamed 1: The file is parquet")


@pytest.mark.parametrize("kind", ["parquet", "arrow file"])
def test_without_pyarrow_it_is_said_what_to_install(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / name(kind)
    write(file, kind, pa.Table.from_pylist(ROWS))
    for module in ("pyarrow", "pyarrow.parquet", "pyarrow.ipc"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingPackageError) as caught:
        list(records(file))
    assert "tuneval[data]" in caught.value.mend
