"""Packed files: read as what they hold, as far as they can be unpacked."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tuneval.data.containers import kind_of_container, look, packed, records
from tuneval.data.finding import Finding
from tuneval.data.read import read
from tuneval.data.record import Record
from tuneval.errors import DataError, MissingPackageError

ROWS = [
    {"messages": [{"role": "user", "content": f"{i}?"}, {"role": "assistant", "content": text}]}
    for i, text in enumerate(["yes", "no", "也许", "see 😀", "x" * 300] * 12)
]
TEXT = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in ROWS)
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda text: gzip.compress(text, mtime=0),
    "zstandard": zstandard.ZstdCompressor(write_checksum=True).compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}
ENDINGS = {"gzip": ".gz", "zstandard": ".zst", "bzip2": ".bz2", "xz": ".xz"}
packings = pytest.mark.parametrize("packing", PACK)


def found(file: Path, content: bytes) -> tuple[list[Any], list[tuple[str, int]]]:
    """The values of the records that can be read, and the rules and lines of all errors."""
    file.write_bytes(content)
    values, errors = [], []
    for item in records(file):
        if isinstance(item, Record) and item.value is not None:
            values.append(item.value)
        for finding in [item] if isinstance(item, Finding) else item.findings:
            if finding.severity == "error":
                errors.append((finding.rule, int(finding.where.rpartition(":")[2])))
    return values, errors


@packings
@pytest.mark.parametrize("ending", [".jsonl", ".json"])
def test_a_packed_text_is_read_as_the_text(tmp_path: Path, packing: str, ending: str) -> None:
    text = TEXT if ending == ".jsonl" else json.dumps(ROWS, indent=1).encode()
    file = tmp_path / f"data{ending}{ENDINGS[packing]}"
    assert found(file, PACK[packing](text)) == (ROWS, [])
    assert [example.source.line for example in read(file)][:2] == (
        [1, 2] if ending == ".jsonl" else [2, 14]
    )
    kind = "json lines" if ending == ".jsonl" else "json array"
    assert kind_of_container(file) == f"{packing} {kind}"


@packings
def test_several_members_are_one_text(tmp_path: Path, packing: str) -> None:
    middle = TEXT.index(b"\n", 500) - 10
    content = PACK[packing](TEXT[:middle]) + PACK[packing](b"") + PACK[packing](TEXT[middle:])
    assert found(tmp_path / f"a.jsonl{ENDINGS[packing]}", content) == (ROWS, [])


@pytest.mark.parametrize("n_zeros", [1, 4, 100_000])
def test_zeros_after_gzip_data_are_padding(tmp_path: Path, n_zeros: int) -> None:
    assert found(tmp_path / "a.jsonl.gz", PACK["gzip"](TEXT) + bytes(n_zeros)) == (ROWS, [])


@packings
def test_what_follows_the_packed_data_is_named(tmp_path: Path, packing: str) -> None:
    content = PACK[packing](TEXT) + b"more"
    assert found(tmp_path / f"a.jsonl{ENDINGS[packing]}", content) == (
        ROWS,
        [("file.damaged", len(ROWS) + 1)],
    )


def test_of_gzip_that_ends_early_all_that_is_there_is_read(tmp_path: Path) -> None:
    content = PACK["gzip"](TEXT)
    for end in range(11, len(content), 7):
        text = zlib.decompressobj(31).decompress(content[:end])
        n_whole = text.count(b"\n")
        values, errors = found(tmp_path / "a.jsonl.gz", content[:end])
        assert values[:n_whole] == ROWS[:n_whole]
        assert ("file.compressed_ends_early", n_whole + 1) in errors
        assert {rule for rule, _ in errors} <= {
            "file.compressed_ends_early",
            "json.truncated",
            "encoding.not_utf8",  # cut within a character
        }


@packings
def test_a_stream_that_ends_early_is_never_taken_for_whole(tmp_path: Path, packing: str) -> None:
    content = PACK[packing](TEXT)
    file = tmp_path / f"a.jsonl{ENDINGS[packing]}"
    for end in range(6, len(content), 13):
        values, errors = found(file, content[:end])
        assert values == ROWS[: len(values)]
        assert "file.compressed_ends_early" in dict(errors)


@packings
def test_damage_is_found_and_what_is_before_it_kept(tmp_path: Path, packing: str) -> None:
    # Many blocks, so that there is something before and after each of them.
    text = b"".join(b'{"text": "%064x"}\n' % (i * 7919**9 % 2**251) for i in range(30_000))
    content = bytearray(PACK[packing](text))
    place = len(content) * 3 // 4
    content[place : place + 4] = b"\xff\x00\xff\x00"
    file = tmp_path / f"a.jsonl{ENDINGS[packing]}"
    file.write_bytes(content)
    items = list(records(file))
    good = [item for item in items if isinstance(item, Record) and item.value is not None]
    (fault,) = (i for i in items if isinstance(i, Finding) and i.severity == "error")
    assert fault.rule in ("file.damaged", "file.compressed_ends_early")
    assert len(good) > 1000
    assert [item.value for item in good[:1000]] == [
        json.loads(line) for line in text.split(b"\n")[:1000]
    ]
    assert int(fault.where.rpartition(":")[2]) >= len(good)


def test_a_wrong_checksum_costs_no_record(tmp_path: Path) -> None:
    content = bytearray(PACK["gzip"](TEXT))
    content[-6] ^= 1
    assert found(tmp_path / "a.jsonl.gz", bytes(content)) == (
        ROWS,
        [("file.damaged", len(ROWS) + 1)],
    )


def test_the_reason_comes_before_the_record_that_was_cut(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(PACK["gzip"](TEXT)[:-200])
    with pytest.raises(DataError) as caught:
        list(read(file))
    assert "gzip data end early" in caught.value.what


@packings
def test_a_wrong_name_is_a_warning_and_the_content_is_read(tmp_path: Path, packing: str) -> None:
    file = tmp_path / "data.jsonl"
    file.write_bytes(PACK[packing](TEXT))
    first, *rest = records(file)
    assert isinstance(first, Finding)
    assert (first.rule, first.severity) == ("file.misnamed", "warning")
    assert len(rest) == len(ROWS)
    assert "begins with the bytes" in look(file).reason


def test_a_plain_file_named_as_packed_is_read(tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl.gz"
    file.write_bytes(TEXT)
    first, *rest = records(file)
    assert isinstance(first, Finding)
    assert first.rule == "file.misnamed"
    assert len(rest) == len(ROWS)
    assert found(file, b"\x00\x01\x02" * 100) == ([], [("file.damaged", 1)])


@packings
def test_an_empty_packed_file_is_empty(tmp_path: Path, packing: str) -> None:
    file = tmp_path / f"a.jsonl{ENDINGS[packing]}"
    assert found(file, PACK[packing](b"")) == ([], [("file.empty", 1)])


def test_what_must_not_be_packed_is_refused(tmp_path: Path) -> None:
    twice = tmp_path / "a.jsonl.gz"
    assert found(twice, gzip.compress(gzip.compress(TEXT))) == ([], [("file.not_text", 1)])
    table = tmp_path / "a.parquet.gz"
    assert found(table, gzip.compress(b"PAR1" + bytes(100))) == ([], [("file.not_text", 1)])
    archive = b"data.jsonl".ljust(257, b"\0") + b"ustar\x0000" + bytes(200)
    assert found(tmp_path / "a.tar.gz", gzip.compress(archive)) == ([], [("file.not_text", 1)])


def test_zstandard_without_its_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.jsonl.zst"
    file.write_bytes(PACK["zstandard"](TEXT))
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    with pytest.raises(MissingPackageError) as caught:
        list(records(file))
    assert "tuneval[data]" in caught.value.mend


def test_few_bytes_that_unpack_to_many_are_not_unpacked_at_once(tmp_path: Path) -> None:
    # 30 MB of one character: bzip2 makes some 60 bytes of them.
    content = bz2.compress(b"x" * 30_000_000)
    assert len(content) < 1000
    file = tmp_path / "a.bz2"
    file.write_bytes(content)
    with open(file, "rb") as stream:
        text = packed.Unpacked("f", stream, packed.packing_of(content) or packed.PACKINGS[0])
        sizes = {len(piece) for piece in text._pieces}
    assert max(sizes) <= 1 << 20
