"""What `fix` promises for any bytes: nothing lost, nothing invented, nothing faulty kept."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tuneval.data import detection
from tuneval.data.fix import FixReport, fix
from tuneval.data.repairs.found import How
from tuneval.data.taken_out import original_of
from tuneval.data.validate import check
from tuneval.errors import DataError

N_FILES = 2000
N_PARTS = 8
HOWS: tuple[How, ...] = ("drop", "repair")


def chat(*turns: tuple[str, str], **more: Any) -> str:
    rows = [{"role": role, "content": content} for role, content in turns]
    return json.dumps({"messages": rows} | more, ensure_ascii=False)


ASK, ANSWER = ("user", "How tall is it?"), ("assistant", "It is 8,849 metres tall.")
GOOD = [
    chat(ASK, ANSWER),
    chat(("user", "法国的首都是哪里？"), ("assistant", "法国的首都是巴黎。")),
    chat(("system", "Be brief. 😀"), ASK, ANSWER, ("user", "Who?"), ("assistant", "Hillary.")),
    chat(ASK, ANSWER, score=1.50, group="a", tags={"n": 2}),
]
BAD = [
    chat(("human", "Hi"), ("Assistant", "Hello")),
    chat(ASK, ("assisiant", "8,849")),
    chat(("system", ""), ASK, ANSWER),
    chat(("system", " "), ASK, ANSWER, **{"system": ""}),
    chat(ASK, ("assistant", "\x07Bell\u200b")),
    chat(ASK, ("assistant", "å®\x83å¾\x88é«\x98")),
    chat(ASK, ("assistant", "")),
    chat(ASK, ASK, ANSWER),
    chat(ANSWER, ASK),
    chat(ASK, ("narrator", "?"), ANSWER),
    GOOD[0][:-1] + ', "score": NaN}',
    GOOD[0][:-1] + ', "group": -Infinity}',
    GOOD[0].replace("{", "{,", 1),
    GOOD[0].replace("}]", "},]"),
    GOOD[0] + " ,",
    GOOD[0] + GOOD[1],
    f"{GOOD[0]} , {chat(ASK, ('bot', 'yes'))}",
    GOOD[0].replace("How", "How\n\t"),
    GOOD[0].replace('"role"', '"role": "user", "role"', 1),
    GOOD[0].replace('"role"', '"role": "system", "role"', 1),
    GOOD[0].replace("How", "How \\ud83d"),
    json.dumps(json.loads(GOOD[1]), indent=2, ensure_ascii=False),
    json.dumps(json.loads(GOOD[0]), indent=0),
    '{"instruction": "Name a colour.", "output": "Blue."}',
    "\ufeff" + GOOD[0],
    "42",
    "junk",
    "",
    " \t",
    "{",
    "[" * 200 + "]" * 200,
]
JUNK = [b"\n", b"\r\n", b"\\", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\xff", b"\x00", b"NaN",
        b"\xef\xbb\xbf", b"\\ud800", b"null", b"1e999", b'"role"', b"\xc4\xe3", b"\r"]  # fmt: skip


def mutated_file(seed: int) -> bytes:
    """Some lines, most of them good, some of them with one fault, and a few bytes changed."""
    chance = random.Random(seed)
    lines = chance.choices(GOOD, k=chance.randint(2, 5)) + chance.choices(
        BAD, k=chance.randint(0, 4)
    )
    chance.shuffle(lines)
    end = chance.choice(["\n", "\n", "\n", "\r\n"])
    text = end.join([GOOD[0], *lines]) + chance.choice(["", end, end + end])
    content = text.encode("utf-8")
    if chance.random() < 0.1:
        content = b"\xef\xbb\xbf" + content
    if chance.random() < 0.1:
        content = text.encode(chance.choice(["utf-16", "utf-16-le", "utf-32", "gb18030"]))
    for _ in range(chance.choice([0, 0, 1, 2, 4])):
        at = chance.randrange(len(content) + 1)
        content = content[:at] + chance.choice(JUNK) + content[at + chance.randint(0, 8) :]
    return content[: -chance.randint(1, 40)] if chance.random() < 0.1 else content


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def put_together(out: bytes, rows: list[dict[str, Any]]) -> bytes:
    """The source, from what was kept unchanged and what the rejects file has."""
    lines = out.split(b"\n")
    lines = [line + b"\n" for line in lines[:-1]] + lines[-1:]
    for row in rows:
        if row["action"] == "repaired":
            assert lines[row["out_line"] - 1].rstrip(b"\n") == row["repaired"].encode()
            lines[row["out_line"] - 1] = b""
    made, waiting = b"", iter(lines)
    for row in sorted(rows, key=lambda row: row["offset"]):
        while len(made) < row["offset"]:
            made += next(waiting)
        assert len(made) == row["offset"]
        made += original_of(row)
    return made + b"".join(waiting)


@pytest.mark.parametrize("part", range(N_PARTS))
def test_nothing_is_lost_and_what_is_kept_is_sound(
    tmp_path: Path, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Thousands of small files need not reach the disk one by one.
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    # After so many records the format is known, and sound lines are no longer taken apart.
    monkeypatch.setattr(detection, "N_LOOKED_AT", 2)
    n_refused = n_repaired = n_dropped = 0
    for seed in range(part, N_FILES, N_PARTS):
        source = tmp_path / "in.jsonl"
        source.write_bytes(mutated_file(seed))
        # The profile with fewer rules, and no comparing ones, is far quicker.
        profile = "everyday" if seed // N_PARTS % 8 == 0 else "trl-chat"
        for how in HOWS:
            report = fixed(source, tmp_path / f"{how}.jsonl", how, profile)
            n_refused += report is None
            if report is not None:
                n_repaired += report.n_repaired > 0
                n_dropped += report.n_dropped > 0
                assert_nothing_lost(source, report)
                assert_clean_and_final(report, profile)
    assert n_refused < 0.1 * len(HOWS) * N_FILES / N_PARTS
    assert min(n_repaired, n_dropped) > 0.3 * N_FILES / N_PARTS


def fixed(source: Path, out: Path, how: How, profile: str) -> FixReport | None:
    """The report, or None when there was nothing to keep; then nothing is written."""
    out.unlink(missing_ok=True)
    try:
        return fix(source, out, how=how, profile=profile)
    except DataError:
        assert not out.exists()
        return None


def assert_clean_and_final(report: FixReport, profile: str) -> None:
    """A check of the new file finds no error, and fixing it once more changes nothing."""
    out = Path(report.out)
    found = check(out, report.format, profile=profile)
    assert [f for f in found.findings if f.severity == "error"] == []
    assert found.n_records == found.n_usable == report.n_kept
    again = fix(out, out.with_name("again.jsonl"), how=report.how, profile=profile)
    assert again.n_read == again.n_unchanged == report.n_kept
    assert Path(again.out).read_bytes() == out.read_bytes()
    assert Path(again.rejects).read_bytes() == b""


def assert_nothing_lost(source: Path, report: FixReport) -> None:
    rows = rows_of(Path(report.rejects))
    assert put_together(Path(report.out).read_bytes(), rows) == source.read_bytes()
    assert report.n_read == report.n_unchanged + report.n_repaired + report.n_dropped
    actions = Counter(row["action"] for row in rows)
    assert actions["repaired"] == report.n_repaired
    assert actions["dropped"] == report.n_dropped + report.n_between
