"""JSON lines: what is said of lines and of how they end; no byte gets lost."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneval.data.containers import json_lines, pretty_lines
from tuneval.data.containers.json_lines import blocks_of_lines, line_records
from tuneval.data.finding import Finding
from tuneval.data.read import read
from tuneval.data.record import Record
from tuneval.data.validate import CheckReport, check
from tuneval.errors import DataError

LINE = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data.jsonl"


def found(file: Path, content: bytes) -> CheckReport:
    """What reading alone finds in this content."""
    file.write_bytes(content)
    return check(file, rules=[])


def said(report: CheckReport) -> list[tuple[str, str, str]]:
    """Rule, severity and line of each finding."""
    return [(f.rule, f.severity, f.where.rpartition(":")[2]) for f in report.findings]


def raws(content: bytes) -> list[bytes]:
    """The bytes of every record."""
    items = line_records("f", content, BytesIO(), n_bytes_before=0)
    return [item.raw for item in items if isinstance(item, Record)]


def test_windows_line_ends_are_said_once_with_their_number(file: Path) -> None:
    report = found(file, LINE + b"\n" + (LINE + b"\r\n") * 3 + b"\r\n")
    assert said(report) == [("file.blank_line", "warning", "5"), ("file.crlf", "info", "2")]
    assert "lines: 4" in report.findings[1].what
    assert report.n_usable == 4


def test_a_carriage_return_alone_ends_no_line(file: Path) -> None:
    assert [rule for rule, *_ in said(found(file, LINE + b"\r" + LINE + b"\n"))] == [
        "json.multiple_values"
    ]
    assert said(found(file, LINE.replace(b": [", b":\r[") + b"\n")) == []


def test_a_last_line_without_its_end_is_an_info(file: Path) -> None:
    report = found(file, LINE + b"\n" + LINE)
    assert said(report) == [("file.no_final_newline", "info", "2")]
    assert (report.n_usable, report.exit_status) == (2, 0)


@pytest.mark.parametrize("rest", [b"  ", b"\r", b"\t \r"])
def test_white_space_after_the_last_line_is_one_blank_line(file: Path, rest: bytes) -> None:
    assert said(found(file, LINE + b"\n" + rest)) == [("file.blank_line", "warning", "2")]


@pytest.mark.parametrize("n_bytes", [1, 20, 45, 60, len(LINE) - 1])
def test_a_file_that_was_cut_short_is_recognised(file: Path, n_bytes: int) -> None:
    report = found(file, LINE + b"\n" + LINE[:n_bytes])
    assert said(report) == [
        ("json.truncated", "error", "2"),
        ("file.truncated_last_line", "warning", "2"),
    ]
    assert f"breaks off at column {len(LINE[:n_bytes].rstrip()) + 1}." in report.findings[0].what
    assert report.n_usable == 1


def test_a_file_that_was_cut_within_a_character_is_recognised(file: Path) -> None:
    line = LINE.replace(b'"b"', '"巴黎"'.encode())
    report = found(file, LINE + b"\n" + line[: line.index("黎".encode()) + 2])
    assert [rule for rule, *_ in said(report)] == ["encoding.not_utf8", "file.truncated_last_line"]


def test_a_broken_last_line_that_goes_on_was_not_cut(file: Path) -> None:
    report = found(file, LINE + b"\n" + LINE.replace(b"]}", b",]}"))
    assert [rule for rule, *_ in said(report)] == ["json.syntax", "file.no_final_newline"]


def test_a_broken_line_in_the_middle_is_no_sign_of_a_cut_file(file: Path) -> None:
    report = found(file, LINE[:40] + b"\n" + LINE + b"\n")
    assert [rule for rule, *_ in said(report)] == ["json.truncated"]


def test_a_line_that_is_too_long_is_named_and_read(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lines, "LONG_LINE_BYTES", 1000)
    long = LINE.replace(b'"b"', b'"' + b"b" * 2000 + b'"')
    report = found(file, LINE + b"\n" + long + b"\n" + LINE + b"\n")
    assert said(report) == [("file.line_too_long", "warning", "2")]
    assert report.n_usable == 3


def test_a_line_longer_than_many_blocks_is_one_line(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lines, "BLOCK_BYTES", 7)
    assert said(found(file, (LINE + b"\n") * 3)) == []


def test_values_on_one_line_and_lone_values_are_named(file: Path) -> None:
    lines = [LINE + LINE, LINE + b",", b"[1]", b"42", b'"a"', b"null"]
    rules = [rule for rule, *_ in said(found(file, b"\n".join([LINE, *lines, b""])))]
    assert rules == ["json.multiple_values", "json.trailing_comma", *["json.not_object"] * 4]


def test_twenty_thousand_brackets_are_one_finding(file: Path) -> None:
    for line in (b"[" * 20_000 + b"]" * 20_000, b'{"a":' * 20_000 + b"1" + b"}" * 20_000):
        report = found(file, LINE + b"\n" + line + b"\n" + LINE + b"\n")
        assert said(report) == [("json.too_deep", "error", "2")]
        assert report.n_usable == 2


def test_a_record_nested_too_deep_is_not_walked_through(file: Path) -> None:
    line = LINE[:-1] + b', "tags": ' + b'{"a":' * 300 + b"1" + b"}" * 300 + b"}\n"
    report = found(file, LINE + b"\n" + line)
    assert said(report) == [("json.too_deep", "error", "2")]


def test_joined_files_show_a_byte_order_mark_inside(file: Path) -> None:
    report = found(file, LINE + b"\n\xef\xbb\xbf" + LINE + b"\n")
    assert said(report) == [("encoding.bom", "warning", "2")]
    assert report.n_usable == 2


PRETTY = json.dumps(json.loads(LINE), indent=2).encode()


def test_pretty_printed_records_are_named_once_and_read(file: Path) -> None:
    content = b"\n".join([PRETTY, PRETTY, b"", LINE, PRETTY]) + b"\n"
    report = found(file, content)
    n = PRETTY.count(b"\n") + 1
    assert said(report) == [
        ("file.pretty_printed", "error", "1"),
        ("file.blank_line", "warning", str(2 * n + 1)),
    ]
    assert (report.n_records, report.n_usable) == (4, 4)
    with pytest.raises(DataError, match="several lines"):
        list(read(file))


def test_of_pretty_printed_records_only_the_broken_one_is_lost(file: Path) -> None:
    broken = PRETTY.replace(b'"a"', b"oops")
    unclosed = PRETTY.rstrip(b"\n}")
    report = found(file, b"\n".join([PRETTY, broken, unclosed, PRETTY]))
    assert (report.n_records, report.n_usable) == (4, 2)
    assert [rule for rule, *_ in said(report)][1:] == ["json.syntax", "json.truncated"]


def test_a_pretty_object_that_never_ends_does_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pretty_lines, "MAX_OBJECT_BYTES", 1000)
    content = b"{\n" + b'  "a": 1,\n' * 1000
    assert len(raws(content)) > 5
    assert b"".join(raws(content)) == content


pieces = st.sampled_from(
    [LINE, PRETTY, LINE[:30], b"", b" ", b"{", b"}", b"\xff", b"\xef\xbb\xbf" + LINE, b"[1", b"5"]
)


@given(
    st.lists(st.tuples(pieces, st.sampled_from([b"\n", b"\r\n", b"\n\n"])), min_size=1, max_size=8),
    st.booleans(),
    st.integers(1, 40),
)
@settings(deadline=None, max_examples=300)
def test_raws_and_blank_lines_together_are_the_file(
    lines: list[tuple[bytes, bytes]], has_end: bool, block_bytes: int
) -> None:
    content = b"".join(piece + end for piece, end in lines)
    content = content if has_end else content[:-1]
    before = json_lines.BLOCK_BYTES
    json_lines.BLOCK_BYTES = block_bytes
    try:
        head = content[:block_bytes]
        items = list(line_records("f", head, BytesIO(content[len(head) :]), n_bytes_before=0))
    finally:
        json_lines.BLOCK_BYTES = before
    rows = BytesIO(content).readlines()
    told = [item for item in items if isinstance(item, Finding) and item.rule == "file.blank_line"]
    blank = [(int(item.where[2:]), rows[int(item.where[2:]) - 1]) for item in told]
    assert not any(row.strip() for _, row in blank)
    records = [(item.source.line, item.raw) for item in items if isinstance(item, Record)]
    assert b"".join(raw for _, raw in sorted([*blank, *records])) == content


@given(st.binary(max_size=200), st.integers(1, 9), st.integers(0, 50))
@settings(deadline=None)
def test_blocks_are_whole_lines_of_all_bytes(content: bytes, size: int, n_head: int) -> None:
    before = json_lines.BLOCK_BYTES
    json_lines.BLOCK_BYTES = size
    try:
        stream = BytesIO(content)
        blocks = list(blocks_of_lines(stream, stream.read(n_head)))
    finally:
        json_lines.BLOCK_BYTES = before
    assert b"".join(blocks) == content
    assert all(block.endswith(b"\n") for block in blocks[:-1])
