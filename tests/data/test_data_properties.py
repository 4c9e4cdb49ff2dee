"""What holds for any data: nothing lost, nothing invented, nothing raised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuneval.data.example import ROLES, Example, Message, Source
from tuneval.data.fingerprint import data_hash
from tuneval.data.read import read
from tuneval.data.rules import RULES
from tuneval.data.validate import check
from tuneval.data.write import write_messages
from tuneval.errors import DataError

# One folder for all examples of a test: each writes its file anew.
same_folder = settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
texts = st.text(max_size=20)
whole_texts = texts.filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))
turns = st.builds(Message, st.sampled_from(ROLES), whole_texts, st.none() | st.booleans())
examples = st.builds(
    Example,
    st.lists(turns, min_size=1, max_size=5).map(tuple),
    st.just(Source("elsewhere", 1)),
    st.none() | whole_texts.filter(bool),
    st.dictionaries(whole_texts, whole_texts | st.integers() | st.booleans(), max_size=3),
)
alpaca = st.fixed_dictionaries(
    {"instruction": whole_texts, "output": whole_texts}, optional={"input": whole_texts}
)
LINES = [
    b'{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]}',
    '{"messages": [{"role": "system", "content": "简短"}, {"role": "user", "content": "你好"}, '
    '{"role": "assistant", "content": "😀"}], "group": "a", "tags": {"n": 1.5}}'.encode(),
    b'{"instruction": "a", "input": "b", "output": "c", "history": [["d", "\\ud83d\\ude00"]]}',
    b"",
]
SEEDS = [
    b"\n".join(LINES),
    b"[\n  " + b",\n  ".join(LINES[:3]) + b"\n]\n",
    json.dumps([json.loads(line) for line in LINES[:2] * 3], indent=2).encode(),
    b"\xef\xbb\xbf" + LINES[0] + b"\r\n" + LINES[0],
]
JUNK = [b"\n", b"\\", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\xff", b"\x00", b"\xef\xbb\xbf",
        b"\\ud800", b"NaN", b"null", b"1e999", b'"role"', b"9" * 5000, b"[" * 3000]  # fmt: skip
edits = st.lists(
    st.tuples(
        st.integers(0, 2000),
        st.integers(0, 12),
        st.sampled_from(JUNK) | st.binary(max_size=4),
    ),
    max_size=6,
)


def mutated(content: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """The content with some of its bytes replaced."""
    for place, n_removed, added in changes:
        at = place % (len(content) + 1)
        content = content[:at] + added + content[at + n_removed :]
    return content


@given(st.lists(examples, min_size=1, max_size=8))
@same_folder
def test_reading_gives_back_what_was_written(tmp_path: Path, written: list[Example]) -> None:
    file = tmp_path / "data.jsonl"
    write_messages(file, written)
    found = list(read(file))
    assert [(e.messages, e.group, dict(e.tags)) for e in found] == [
        (e.messages, e.group, dict(e.tags)) for e in written
    ]
    assert [e.source for e in found] == [Source(str(file), i + 1) for i in range(len(written))]
    assert data_hash(found) == data_hash(written)


@given(st.lists(alpaca, min_size=1, max_size=8), st.sampled_from([None, 0, 2, "\t"]))
@same_folder
def test_records_of_an_array_are_neither_lost_nor_invented(
    tmp_path: Path, rows: list[dict[str, str]], indent: int | str | None
) -> None:
    file = tmp_path / "data.json"
    text = json.dumps(rows, indent=indent, ensure_ascii=False)
    file.write_text(text, encoding="utf-8", newline="")
    found = list(read(file))
    assert [e.answer for e in found] == [row["output"] for row in rows]
    lines = text.split("\n")
    assert all("{" in lines[e.source.line - 1] for e in found)
    assert check(file).n_records == len(rows)


@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=20))
@same_folder
def test_every_line_that_is_not_blank_is_a_record_with_its_line(
    tmp_path: Path, lines: list[bytes]
) -> None:
    file = tmp_path / "data.jsonl"
    file.write_bytes(b"\n".join([LINES[0], *lines]))
    messages = [i + 1 for i, line in enumerate([LINES[0], *lines]) if b"messages" in line]
    report = check(file, "messages")
    assert report.n_records == 1 + sum(map(bool, lines))
    assert report.n_usable == len(messages)


@given(st.sampled_from(SEEDS), edits)
@settings(same_folder, max_examples=1000)
def test_check_never_raises_on_any_bytes(
    tmp_path: Path, seed: bytes, changes: list[tuple[int, int, bytes]]
) -> None:
    file = tmp_path / "data.jsonl"
    file.write_bytes(mutated(seed, changes))
    report = check(file)
    assert 0 <= report.n_usable <= report.n_records
    assert report.findings or report.n_usable == report.n_records > 0
    assert all(f.where.startswith(f"{file}:") and f.what and f.mend for f in report.findings)
    json.dumps(report.as_dict(), ensure_ascii=False).encode("utf-8")


@given(st.sampled_from(SEEDS), edits)
@settings(same_folder, max_examples=500)
def test_the_reader_refuses_exactly_what_the_check_calls_unreadable(
    tmp_path: Path, seed: bytes, changes: list[tuple[int, int, bytes]]
) -> None:
    file = tmp_path / "data.jsonl"
    file.write_bytes(mutated(seed, changes))
    report = check(file, rules=["roles"])
    if report.exit_status:
        first = next(f for f in report.findings if f.severity == "error")
        with pytest.raises(DataError) as caught:
            list(read(file))
        refused = caught.value
        assert (refused.what, refused.where, refused.mend) == (first.what, first.where, first.mend)
    else:
        assert len(list(read(file))) == report.n_records == report.n_usable


@given(st.binary(max_size=60))
@same_folder
def test_check_never_raises_on_noise(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "data"
    file.write_bytes(content)
    assert check(file).findings


@settings(deadline=None)
@given(examples, st.text(min_size=1, max_size=5), st.integers(1, 99))
def test_the_id_depends_on_the_messages_alone(example: Example, group: str, line: int) -> None:
    moved = Example(example.messages, Source("other", line), group, {"a": 1})
    assert moved.id == example.id
    longer = Example((*example.messages, Message("user", "more")), example.source)
    assert longer.id != example.id


def test_the_id_is_the_same_on_every_machine() -> None:
    # printf '[["user","你好",null]]' | sha256sum
    assert Example((Message("user", "你好"),), Source("f", 1)).id == "e90899ae4c19166c"


@pytest.mark.parametrize("name", RULES)
def test_no_rule_stumbles_over_half_read_records(tmp_path: Path, name: str) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text('{"messages": [5, {"role": "user"}, {"content": ""}, {"role": 1}]}\n{"messages')
    assert check(file, "messages", [name]).n_usable == 0
