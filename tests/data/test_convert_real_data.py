"""Real files into every format that can hold them, and back: nothing is lost."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tuneval.data.convert import convert
from tuneval.data.fingerprint import data_hash
from tuneval.data.format import best_formats
from tuneval.data.formats import FORMATS
from tuneval.data.read import read_items

TEST_DATA = os.environ.get("TUNEVAL_TEST_DATA")
needs_test_data = pytest.mark.skipif(
    not TEST_DATA, reason="TUNEVAL_TEST_DATA does not name a folder of real data files"
)


def rows(file: str | None) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines."""
    assert file is not None
    return [json.loads(line) for line in Path(file).read_bytes().split(b"\n")[:-1]]


HELD = {
    "alpaca_en_demo.json": ("alpaca", 999, {"messages", "sharegpt", "prompt_completion"}),
    "alpaca_zh_demo.json": ("alpaca", 1000, {"messages", "sharegpt", "prompt_completion"}),
    "identity.json": ("alpaca", 91, {"messages", "sharegpt", "prompt_completion"}),
    "dpo_zh_demo.json": ("preference", 300, {"alpaca", "sharegpt"}),
    "kto_en_demo.json": ("kto", 300, {"alpaca", "sharegpt"}),
    "glaive_toolcall_zh_demo.json": ("sharegpt", 300, {"messages"}),
}


@needs_test_data
def test_no_real_file_is_left_out_of_this_test() -> None:
    names = {path.name for path in Path(TEST_DATA or "", "instruct").glob("*.json")}
    assert names == {*HELD, "dataset_info.json"}


@needs_test_data
@pytest.mark.parametrize("name", HELD)
def test_a_real_file_goes_into_every_format_that_can_hold_it_and_back(
    tmp_path: Path, name: str
) -> None:
    source = Path(TEST_DATA or "", "instruct", name)
    own, n_records, holders = HELD[name]
    items = list(read_items(source))
    assert len(items) == n_records
    held = set()
    for to in FORMATS:
        there = convert(source, tmp_path / f"{to}.jsonl", to=to)
        assert there.format == own
        assert there.n_read == n_records == there.n_written + there.n_rejected
        assert sum(there.reasons.values()) == there.n_rejected
        if there.rejected_file is not None:
            assert len(rows(there.rejected_file)) == there.n_rejected
            continue
        held.add(to)
        back = convert(there.target, tmp_path / f"{to}-back.jsonl", to=own)
        assert (back.n_written, back.n_rejected, back.unread_keys) == (n_records, 0, {})
        assert there.data_hash == back.data_hash == data_hash(items)
        assert data_hash(read_items(back.target)) == data_hash(items)
    assert held == {own, *holders}


@needs_test_data
def test_alpaca_by_way_of_sharegpt_is_the_same_but_for_where_the_input_stands(
    tmp_path: Path,
) -> None:
    source = Path(TEST_DATA or "", "instruct", "alpaca_zh_demo.json")
    there = convert(source, tmp_path / "there.jsonl", to="sharegpt")
    back = convert(there.target, tmp_path / "back.jsonl", to="alpaca")
    assert rows(back.target) == [
        {
            "instruction": "\n".join(filter(None, (row["instruction"], row["input"]))),
            "input": "",
            "output": row["output"],
        }
        for row in json.loads(source.read_bytes())
    ]


@needs_test_data
def test_calls_without_tools_of_glaive_have_a_place_in_alpaca(tmp_path: Path) -> None:
    source = Path(TEST_DATA or "", "instruct", "glaive_toolcall_zh_demo.json")
    done = convert(source, tmp_path / "alpaca.jsonl", to="alpaca")
    turns = [
        [turn["from"] for turn in row["conversations"]] for row in json.loads(source.read_bytes())
    ]
    assert done.n_rejected == sum(not {*names} <= {"human", "gpt"} for names in turns)
    assert all(
        [found.name for found in best_formats(row)] == ["alpaca"] for row in rows(done.target)
    )


@needs_test_data
@pytest.mark.parametrize("ending", [".csv", ".parquet", ".json.gz"])
@pytest.mark.parametrize("name", ["glaive_toolcall_zh_demo.json", "dpo_zh_demo.json"])
def test_a_real_file_goes_into_any_kind_of_file(tmp_path: Path, name: str, ending: str) -> None:
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    source = Path(TEST_DATA or "", "instruct", name)
    done = convert(source, tmp_path / f"there{ending}", to="sharegpt")
    assert (done.n_written, done.exit_status) == (300, 0)
    assert data_hash(read_items(done.target)) == done.data_hash == data_hash(read_items(source))
