"""CSV, TSV and plain text: rows and lines with their places, and every fault in its own."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuneval.data.containers import kind_of_container, records
from tuneval.data.finding import Finding
from tuneval.data.read import read, read_items
from tuneval.data.record import Record

CHAT = [
    {"role": "user", "content": 'He said "hi",\nthen left.'},
    {"role": "assistant", "content": "ok"},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data.csv"


def found(file: Path, content: str | bytes) -> tuple[list[Any], list[tuple[str, int]]]:
    """The value of every record, None for a broken one, and the rules and lines of findings."""
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    values, findings = [], []
    for item in records(file):
        if isinstance(item, Record):
            values.append(item.value)
        findings += [item] if isinstance(item, Finding) else item.findings
    return values, [(f.rule, int(f.where.rpartition(":")[2])) for f in findings]


def as_csv(*rows: list[Any], delimiter: str = ",", end: str = "\n") -> str:
    """Rows as Python's own writer has them."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue()


def test_rows_are_records_with_the_line_where_they_begin(file: Path) -> None:
    content = 'instruction,input,output\nAdd.,"1,\n2",3\n\n"Say ""hi"".",,hi\n'
    assert found(file, content) == (
        [
            {"instruction": "Add.", "input": "1,\n2", "output": "3"},
            {"instruction": 'Say "hi".', "output": "hi"},
        ],
        [("file.blank_line", 4)],
    )
    lines = [item.source.line for item in records(file) if isinstance(item, Record)]
    assert lines == [2, 5]
    assert [e.messages[0].content for e in read(file)] == ["Add.\n1,\n2", 'Say "hi".']


@pytest.mark.parametrize(
    ("name", "delimiter"),
    [("a.csv", mark) for mark in ",;\t|"] + [("a.tsv", mark) for mark in "\t,"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_delimiter_is_told_by_the_header(
    tmp_path: Path, name: str, delimiter: str, end: str
) -> None:
    content = as_csv(
        ["instruction", "output"], ["a;b", "c,d"], ["e|f", "g\th"], delimiter=delimiter, end=end
    )
    assert found(tmp_path / name, content) == (
        [{"instruction": "a;b", "output": "c,d"}, {"instruction": "e|f", "output": "g\th"}],
        [],
    )
    assert kind_of_container(tmp_path / name) == "csv"


def test_every_byte_below_the_header_is_in_a_record_or_a_blank_line(file: Path) -> None:
    content = 'a,b\r\n1,"2\r\n3"\r\n\r\nragged\r\n"open,x\r\n4,5'
    file.write_text(content, newline="")
    raws = b"".join(item.raw for item in records(file) if isinstance(item, Record))
    assert raws.decode() == content.removeprefix("a,b\r\n").replace("\r\n\r\n", "\r\n")


def test_rows_with_too_few_or_too_many_cells_are_named_and_the_others_read(file: Path) -> None:
    assert found(file, "a,b\n1,2\n3\n4,5,6\n7,8\n") == (
        [{"a": "1", "b": "2"}, None, None, {"a": "7", "b": "8"}],
        [("csv.ragged_row", 3), ("csv.ragged_row", 4)],
    )


def test_a_quote_that_is_never_closed_costs_one_line(file: Path) -> None:
    assert found(file, 'a,b\n1,"2\n3,4\n"5",6\n') == (
        [None, {"a": "3", "b": "4"}, {"a": "5", "b": "6"}],
        [("csv.syntax", 2)],
    )


def test_a_quote_that_is_not_doubled_costs_one_line(file: Path) -> None:
    assert found(file, 'a,b\n1,"say "hi" now"\n3,4\n') == (
        [None, {"a": "3", "b": "4"}],
        [("csv.syntax", 2)],
    )


def test_a_header_that_cannot_be_read_leaves_no_record_silent(file: Path) -> None:
    assert found(file, '"a,b\n1,2\n') == ([None], [("csv.syntax", 1), ("csv.ragged_row", 2)])


def test_names_that_stand_twice_or_are_missing_are_said(file: Path) -> None:
    assert found(file, "a,a,,\n1,2,3,\n") == (
        [{"a": "1", "a (2)": "2", "column 3": "3"}],
        [("csv.duplicate_column", 1), ("csv.unnamed_column", 1), ("csv.unnamed_column", 1)],
    )


def test_cells_of_any_length_are_read(file: Path) -> None:
    long = "word, " * 200_000
    assert found(file, as_csv(["text"], [long], ["b"])) == ([{"text": long}, {"text": "b"}], [])


def test_bad_bytes_and_marks_are_named(file: Path) -> None:
    content = b"\xef\xbb\xbfa,b\n1,\x00\n\xff,2\n3,4\n"
    assert found(file, content) == (
        [{"a": "1", "b": "\x00"}, None, {"a": "3", "b": "4"}],
        [("encoding.bom", 1), ("encoding.not_utf8", 3)],
    )
    finding = next(i for i in records(file) if isinstance(i, Record) and i.findings).findings[0]
    assert f"offset {content.index(0xFF)} " in finding.what


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_named(file: Path, encoding: str) -> None:
    assert found(file, "instruction,output\na,b\n".encode(encoding)) == (
        [],
        [("encoding.utf16", 1)],
    )


def test_json_is_read_in_the_columns_that_need_it_and_nowhere_else(file: Path) -> None:
    row: dict[str, Any] = {
        "messages": CHAT,
        "tools": [{"name": "f"}],
        "tags": {"n": 1},
        "label": True,
        "output": '{"intent": "refund"}',
        "prompt": "[1, 2]",
        "chosen": CHAT[1:],
        "group": "7",
    }
    cells = [json.dumps(value) if not isinstance(value, str) else value for value in row.values()]
    assert found(file, as_csv(list(row), cells)) == ([row], [])


def test_json_in_a_cell_is_read_strictly(file: Path) -> None:
    content = as_csv(["messages", "tags"], ["[{oops", '{"a": 1, "a": 2}'], [json.dumps(CHAT), ""])
    values, findings = found(file, content)
    assert values == [{"messages": "[{oops", "tags": {"a": 2}}, {"messages": CHAT}]
    assert findings == [("json.duplicate_key", 2)]


def test_an_empty_cell_is_a_missing_key_only_where_a_key_may_be_missing(file: Path) -> None:
    assert found(file, "instruction,input,output,system,group\na,,,,\n") == (
        [{"instruction": "a", "output": ""}],
        [],
    )


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=10)


@given(
    st.lists(st.lists(cells, min_size=3, max_size=3), max_size=6),
    st.sampled_from([("a.csv", ","), ("a.tsv", "\t"), ("a.csv", ";")]),
    st.sampled_from(["\n", "\r\n"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_pythons_writer_writes_is_read(
    tmp_path: Path, rows: list[list[str]], kind: tuple[str, str], end: str
) -> None:
    content = as_csv(["x", "y", "z"], *rows, delimiter=kind[1], end=end)
    expected = [dict(zip("xyz", row, strict=True)) for row in rows]
    assert found(tmp_path / kind[0], content) == (expected, [])


@given(st.binary(max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_end_the_reading_of_csv_or_text(tmp_path: Path, noise: bytes) -> None:
    for name in ("a.csv", "a.tsv", "a.txt"):
        found(tmp_path / name, b'a,"b"\n' + noise)


def test_each_line_of_a_text_file_is_a_text(tmp_path: Path) -> None:
    file = tmp_path / "corpus.txt"
    content = "First, a line.\r\n\n  \n[Chapter] 2 {\nU+2028 \u2028 stays.".encode()
    assert found(file, content) == (
        [{"text": "First, a line."}, {"text": "[Chapter] 2 {"}, {"text": "U+2028 \u2028 stays."}],
        [("file.blank_line", 2)],
    )
    (blank,) = (item for item in records(file) if isinstance(item, Finding))
    assert blank.severity == "info"
    assert blank.what.startswith("2 blank lines")
    assert len(list(read_items(file))) == 3
    assert kind_of_container(file) == "text"


def test_a_bad_byte_costs_one_line_of_a_text(tmp_path: Path) -> None:
    assert found(tmp_path / "a.txt", b"a\n\xff\nb") == (
        [{"text": "a"}, None, {"text": "b"}],
        [("encoding.not_utf8", 2)],
    )


@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.tsv"])
def test_json_under_another_name_is_read_as_json(tmp_path: Path, name: str) -> None:
    line = json.dumps({"instruction": "a", "output": "b"})
    row = json.loads(line)
    assert found(tmp_path / name, line + "\n" + line)[0] == [row, row]
    assert found(tmp_path / name, f"[{line}]") == ([row], [("file.misnamed", 1)])
