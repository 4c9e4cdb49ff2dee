"""One hash for a whole set, wherever it lies and whatever is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuneval import files
from tuneval.data.fingerprint import set_hash
from tuneval.errors import UsageError

CHAT = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]
ALPACA = {"instruction": "Bye", "output": "Goodbye!"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "set"
    fill(place, {"messages": CHAT}, {"messages": CHAT, "tags": {"a": 1}})
    return place


def fill(folder: Path, *rows: dict[str, Any], more: bytes = b"") -> None:
    folder.mkdir(exist_ok=True)
    lines = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    (folder / "a.jsonl").write_bytes(lines + more)


def test_a_plain_file_is_its_bytes(folder: Path) -> None:
    assert set_hash(folder / "a.jsonl") == files.sha256_file(folder / "a.jsonl")


@pytest.mark.parametrize(
    "rows",
    [
        [{"messages": CHAT}],
        [{"messages": CHAT, "tags": {"a": 1}}, {"messages": CHAT}],
        [{"messages": CHAT}, {"messages": CHAT, "tags": {"a": 2}}],
        [{"messages": CHAT}, {"messages": CHAT, "tags": {"a": 1}, "group": "g"}],
        [{"messages": CHAT}, {"messages": CHAT[::-1], "tags": {"a": 1}}],
    ],
)
def test_another_content_is_another_hash(folder: Path, rows: list[dict[str, Any]]) -> None:
    before = set_hash(folder)
    assert set_hash(folder) == before
    fill(folder, *rows)
    assert set_hash(folder) != before


def test_a_broken_record_counts_as_it_stands_and_stops_nothing(folder: Path) -> None:
    hashes = set()
    for broken in (b"", b'{"messages": 5}\n', b'{"messages": 6}\n', b"caf\xe9\n", b"caf\xe8\n"):
        fill(folder, {"messages": CHAT}, more=broken)
        hashes.add(set_hash(folder))
    assert len(hashes) == 5


def test_the_format_that_is_insisted_on_decides(folder: Path) -> None:
    fill(folder, {"messages": CHAT} | ALPACA)
    assert set_hash(folder, "alpaca") != set_hash(folder, "messages")
    with pytest.raises(UsageError, match="format"):
        set_hash(folder, "alpacca")
