"""What is left of a JSON array in which something is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneval.data.validate import CheckReport, check

GOOD = '  {\n    "instruction": "a",\n    "output": "b"\n  }'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data.json"


def found(file: Path, text: str | bytes) -> CheckReport:
    """What reading alone finds in this text."""
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return check(file, rules=[])


def places(report: CheckReport) -> list[tuple[str, str]]:
    """Rule and line of each finding."""
    return [(f.rule, f.where.rpartition(":")[2]) for f in report.findings]


def test_records_after_a_broken_one_are_found_and_the_fault_has_its_own_line(file: Path) -> None:
    broken = '  {\n    "instruction": "a",\n    "output": "b\n  }'
    report = found(file, f"[\n{GOOD},\n{broken},\n{GOOD},\n{GOOD}\n]\n")
    assert places(report) == [("json.syntax", "8")]
    assert (report.n_records, report.n_usable) == (4, 3)


def test_a_record_cut_short_does_not_swallow_the_next(file: Path) -> None:
    report = found(file, f'[\n{GOOD},\n  {{\n    "instruction": "a",\n{GOOD}\n]')
    assert (report.n_records, report.n_usable) == (3, 2)


def test_a_broken_last_record_is_one_finding(file: Path) -> None:
    report = found(file, f'[\n{GOOD},\n  {{\n    "instruction": oops\n  }}\n]')
    assert places(report) == [("json.syntax", "7")]
    assert (report.n_records, report.n_usable) == (2, 1)


def test_a_comma_too_few_is_named_and_nothing_lost(file: Path) -> None:
    report = found(file, f"[\n{GOOD}\n{GOOD}\n]")
    assert places(report) == [("json.syntax", "6")]
    assert report.n_usable == 2


def test_a_comma_too_many_is_named(file: Path) -> None:
    report = found(file, f"[\n{GOOD},\n]")
    assert places(report) == [("json.trailing_comma", "5")]
    assert report.n_usable == 1


@pytest.mark.parametrize("end", ["", ",", ",\n"])
def test_an_array_without_its_end_is_named(file: Path, end: str) -> None:
    report = found(file, f"[\n{GOOD}{end}")
    assert [rule for rule, _ in places(report)] == ["json.truncated"]
    assert report.n_usable == 1


def test_where_the_rest_cannot_be_found_it_is_said(file: Path) -> None:
    text = '[{"instruction": "a", "output": "b"}, {"instruction": oops}, {"instruction": "a"}]'
    rules = [rule for rule, _ in places(found(file, text))]
    assert rules == ["json.syntax", "json.truncated"]


def test_only_the_record_with_a_bad_byte_is_lost(file: Path) -> None:
    bad = GOOD.encode().replace(b'"b"', b'"\xff"')
    content = b"[\n" + GOOD.encode() + b",\n" + bad + b",\n" + GOOD.encode() + b"\n]"
    report = found(file, content)
    assert places(report) == [("encoding.not_utf8", "6")]
    assert f"offset {content.index(0xFF)} " in report.findings[0].what
    assert (report.n_records, report.n_usable) == (3, 2)


def test_each_bad_byte_has_its_own_offset(file: Path) -> None:
    rows = [b'{"instruction": "\xe4\xbd\xa0", "output": "\xff"}'] * 3
    content = b"[" + b", ".join(rows) + b"]"
    offsets = [i for i, byte in enumerate(content) if byte == 0xFF]
    said = [f.what.split("offset ")[1].split()[0] for f in found(file, content).findings]
    assert said == list(map(str, offsets))
