"""Thousands of damaged files: none crashes the check or the reader, and no record gets lost."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import random
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding, has_error
from tuneval.data.format import all_formats
from tuneval.data.read import drafts, read_items
from tuneval.data.rules import RULES
from tuneval.data.sniff import BOM
from tuneval.data.validate import check
from tuneval.errors import DataError

ASKED, ANSWERED = {"role": "user", "content": "你好"}, {"role": "assistant", "content": 'Say "hi"'}
CALL = {"name": "f", "arguments": '{"x": [1, 2.5]}'}
ROWS: dict[str, list[dict[str, object]]] = {
    "messages": [
        {"messages": [ASKED, ANSWERED]},
        {
            "messages": [
                {"role": "system", "content": "s"},
                ASKED,
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": "1", "type": "function", "function": CALL}],
                },
                {"role": "tool", "tool_call_id": "1", "name": "f", "content": "4"},
                ANSWERED,
            ],
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "group": "g",
            "tags": {"n": 1.5, "deep": {"list": [None, True, {"a": "😀"}]}},
        },
    ],
    "alpaca": [
        {"instruction": "a", "input": "b", "output": "c", "system": "", "history": [["d", "e"]]},
        {"instruction": "翻译", "output": "translate"},
    ],
    "sharegpt": [
        {
            "conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "r"}],
            "system": "s",
            "tools": "[]",
        }
    ],
    "prompt_completion": [
        {"prompt": "a", "completion": "b"},
        {"prompt": [ASKED], "completion": [ANSWERED]},
    ],
    "text": [{"text": "Once upon a time"}, {"text": "从前"}],
    "preference": [
        {
            "prompt": [ASKED],
            "chosen": [ANSWERED],
            "rejected": [{"role": "assistant", "content": "x"}],
        },
        {"prompt": "p", "chosen": "c", "rejected": "r"},
    ],
    "kto": [
        {"messages": [ASKED, ANSWERED], "label": True},
        {"prompt": "a", "completion": "b", "label": False},
    ],
}
TABLE = b'instruction,input,output\n"a ""quoted"" one","two\nlines",c\nd,,\xe4\xbd\xa0\n'
TOKENS = [
    *(b"\n", b"\r\n", b"\r", b"\n\n", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\t"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xff", b"\xc3", b"\xe4\xbd", b"\x00", b"\xed\xa0\x80"),
    *(b"\\ud800", b"\\u0000", b"\\u", b"NaN", b"-Infinity", b"null", b"true", b"1e999", b"-0"),
    *(b"9" * 5000, b"[" * 3000, b'{"a":' * 1500),
    *(b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"\x28\xb5\x2f\xfd"),
    *(b'"role"', b'"role": "user", ', b'"messages": []', b'"content": 5', b'"label": 1', b"{}"),
    *(text.encode() for text in ("\ufffd", "\u2028", "\u200b", "锟斤拷", "<|im_end|>", "# x")),
]
Change = Callable[[random.Random, bytes], bytes]


def lines(rows: list[dict[str, object]]) -> bytes:
    """JSON lines, the first in the ASCII style."""
    first, *rest = (json.dumps(row, ensure_ascii=False) for row in rows * 3)
    return "\n".join([json.dumps(json.loads(first)), *rest, ""]).encode()


def seeds() -> list[tuple[str, bytes]]:
    """Name and content of sound files of every format and container."""
    every = [row for rows in ROWS.values() for row in rows]
    made = [(f"{name}.jsonl", lines(rows)) for name, rows in ROWS.items()]
    chat = lines(ROWS["messages"])
    made += [
        ("array.json", json.dumps(ROWS["alpaca"] * 3, ensure_ascii=False).encode()),
        ("indented.json", json.dumps(ROWS["messages"] * 2, indent=2).encode()),
        ("pretty.jsonl", b"\n".join(json.dumps(row, indent=1).encode() for row in every[:3])),
        ("mixed.jsonl", lines(every)),
        ("windows.jsonl", BOM + chat.replace(b"\n", b"\r\n")),
        ("table.csv", TABLE),
        ("table.tsv", TABLE.replace(b",", b"\t")),
        ("plain.txt", "Once upon a time\n\n从前有座山\n".encode()),
        ("packed.jsonl.gz", gzip.compress(chat, mtime=0)),
        ("packed.json.bz2", bz2.compress(b"[" + chat.strip().replace(b"\n", b",") + b"]")),
        ("packed.csv.xz", lzma.compress(TABLE)),
        ("no_ending", chat),
    ]
    return made


def flip(chance: random.Random, content: bytes) -> bytes:
    """One bit of one byte is another."""
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]


def delete(chance: random.Random, content: bytes) -> bytes:
    """A few bytes are gone."""
    at = chance.randrange(len(content))
    return content[:at] + content[at + chance.randint(1, 12) :]


def insert(chance: random.Random, content: bytes) -> bytes:
    """A token stands where it should not."""
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.choice(TOKENS) + content[at:]


def replace(chance: random.Random, content: bytes) -> bytes:
    """A token stands in place of a few bytes."""
    at = chance.randrange(len(content))
    return content[:at] + chance.choice(TOKENS) + content[at + chance.randint(1, 9) :]


def cut_off(chance: random.Random, content: bytes) -> bytes:
    """The end, now and then the beginning, is missing."""
    at = chance.randrange(len(content))
    return content[at:] if chance.random() < 0.2 else content[:at]


def double(chance: random.Random, content: bytes) -> bytes:
    """A piece stands twice."""
    start, end = sorted(chance.randrange(len(content) + 1) for _ in range(2))
    return content[:end] + content[start:end] + content[end:]


def swap(chance: random.Random, content: bytes) -> bytes:
    """Two pieces have changed places."""
    a, b, c = sorted(chance.randrange(len(content) + 1) for _ in range(3))
    return content[:a] + content[b:c] + content[a:b] + content[c:]


def noise(chance: random.Random, content: bytes) -> bytes:
    """A few random bytes."""
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.randbytes(chance.randint(1, 6)) + content[at:]


CHANGES: list[Change] = [
    flip,
    delete,
    insert,
    insert,
    replace,
    replace,
    cut_off,
    double,
    swap,
    noise,
]


def mutated(chance: random.Random, content: bytes) -> bytes:
    """The content after one to four changes."""
    for _ in range(chance.choice((1, 1, 2, 3, 4))):
        if content:
            content = chance.choice(CHANGES)(chance, content)
    return content


def examine(file: Path, content: bytes, rules: list[str]) -> None:
    """Check and read the file; every promise that holds for any bytes is asserted."""
    report = check(file, rules=rules)
    drafted = list(drafts(file).items)
    made = [item for item in drafted if isinstance(item, Draft)]
    assert report.n_records == len(made)
    assert 0 <= report.n_usable <= report.n_records
    n_faulty = sum(item.item is None or has_error(item.findings) for item in made)
    assert report.n_usable <= report.n_records - n_faulty
    assert report.exit_status == (report.counts["error"] > 0)
    assert report.exit_status or report.n_usable == report.n_records > 0
    assert all(finding.what and finding.mend for finding in report.findings)
    json.dumps(report.as_dict(), ensure_ascii=False).encode("utf-8")
    refused = [f for f in drafted if isinstance(f, Finding) and f.severity == "error"]
    n_read = how_many_are_read(file)
    if n_read is None:
        assert report.exit_status
    else:
        assert not refused
        assert n_faulty == 0
        assert n_read == report.n_records
    if report.container == "json lines":
        assert nothing_is_lost(drafted, content), "the records and blank lines are not the file"


def how_many_are_read(file: Path) -> int | None:
    """How many items the reader gives, None when it refuses the file."""
    try:
        return sum(1 for _ in read_items(file))
    except DataError as error:
        return None if error.what and error.mend else -1


def nothing_is_lost(found: list[Draft | Finding], content: bytes) -> bool:
    """Whether the raws of the records and the blank lines, in order, are the file."""
    told = [(item.record.source.line, item.record.raw) for item in found if isinstance(item, Draft)]
    said = [item for item in found if isinstance(item, Finding)]
    if any(finding.rule in REFUSALS for finding in said):
        return not told
    content = content.removeprefix(BOM)
    rows = BytesIO(content).readlines()
    places = [int(f.where.rpartition(":")[2]) for f in said if f.rule == "file.blank_line"]
    blank = [(place, rows[place - 1]) for place in places]
    assert not any(row.strip(b" \t\r\n") for _, row in blank)
    return b"".join(raw for _, raw in sorted([*blank, *told])) == content


REFUSALS = {"file.empty", "file.not_text", "encoding.utf16", "file.damaged", "encoding.nul"}


EVERY_RULE = list(RULES)
QUICK_RULES = [name for name in RULES if name not in ("near_duplicates", "leakage")]


def run(folder: Path, n_files: int, seed: int) -> None:
    """Examine that many damaged files; a failure names the seed that makes its file again."""
    kinds = seeds()
    for number in range(n_files):
        chance = random.Random(f"{seed}-{number}")
        name, content = chance.choice(kinds)
        content = mutated(chance, content)
        file = folder / f"{number}_{name}"
        file.write_bytes(content)
        try:
            examine(file, content, EVERY_RULE if number % 10 == 0 else QUICK_RULES)
        except Exception as error:
            error.add_note(f"{name}, file {number} of seed {seed}: {content!r}"[:3000])
            raise
        file.unlink()  # to write over it would wait for the disk


def test_every_format_has_a_seed() -> None:
    assert set(ROWS) == {row.name for row in all_formats()}


@pytest.mark.parametrize(("name", "content"), seeds(), ids=lambda value: str(value)[:20])
def test_the_seeds_are_sound(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    if name in ("pretty.jsonl", "mixed.jsonl", "plain.txt"):
        check(file)
    else:
        assert check(file, rules=[]).exit_status == 0
        assert len(list(read_items(file))) >= 2


def test_damaged_files_neither_crash_nor_lose_a_record(tmp_path: Path) -> None:
    run(tmp_path, 1500, seed=1)


@pytest.mark.slow
def test_twenty_thousand_damaged_files_neither_crash_nor_lose_a_record(tmp_path: Path) -> None:
    run(tmp_path, 20_000, seed=2)


@pytest.mark.parametrize(
    "name", ["a.jsonl", "a.json", "a.csv", "a.txt", "a", "a.jsonl.gz", "a.parquet"]
)
def test_any_bytes_at_all_are_a_finding_or_a_set(tmp_path: Path, name: str) -> None:
    chance = random.Random(name)
    file = tmp_path / name
    for length in range(0, 60):
        file.write_bytes(chance.randbytes(length))
        assert check(file).findings
