"""Real files, unchanged: what is in them is known."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tuneval.data.read import read
from tuneval.data.validate import check

ROOT = Path(__file__).parents[2]
TEST_DATA = os.environ.get("TUNEVAL_TEST_DATA")
needs_test_data = pytest.mark.skipif(
    not TEST_DATA, reason="TUNEVAL_TEST_DATA does not name a folder of real data files"
)


def instruct(name: str) -> Path:
    """A file of the real instruction data."""
    return Path(TEST_DATA or "", "instruct", name)


@needs_test_data
@pytest.mark.parametrize(
    ("name", "n_records", "first_lines"),
    [
        ("alpaca_zh_demo.json", 1000, [2, 7, 12]),
        ("alpaca_en_demo.json", 999, [2, 7, 12]),
        ("identity.json", 91, [2, 7, 12]),
    ],
)
def test_alpaca_files_are_read_whole_with_true_lines(
    name: str, n_records: int, first_lines: list[int]
) -> None:
    rows = json.loads(instruct(name).read_bytes())
    found = list(read(instruct(name)))
    assert len(found) == len(rows) == n_records
    assert [e.answer for e in found] == [row["output"] for row in rows]
    assert [e.source.line for e in found[:3]] == first_lines
    lines = instruct(name).read_bytes().split(b"\n")
    for example, row in zip(found, rows, strict=True):
        assert lines[example.source.line - 1].strip() == b"{"
        written = json.loads(b"{" + lines[example.source.line].rstrip(b",\r") + b"}")
        assert written == {"instruction": row["instruction"]}


@needs_test_data
def test_check_of_a_real_chinese_set_finds_its_copies_and_no_error() -> None:
    report = check(instruct("alpaca_zh_demo.json"))
    rows = json.loads(instruct("alpaca_zh_demo.json").read_bytes())
    seen = {(row["instruction"], row["input"], row["output"]) for row in rows}
    copies = report.totals["warning", "duplicates.exact"]
    assert copies == len(rows) - len(seen) == 8
    assert (report.n_usable, report.exit_status) == (1000, 0)


def test_the_shipped_set_passes_its_own_check() -> None:
    report = check(ROOT / "examples" / "support-tickets" / "tickets.jsonl")
    assert report.findings == ()
    assert report.n_usable == report.n_records
