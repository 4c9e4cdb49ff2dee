"""A JSON array is read through a small window: nothing of it is lost, moved or invented."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.data.containers import window
from tuneval.data.containers.json_array import array_records
from tuneval.data.finding import Finding
from tuneval.data.record import Record

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts | st.sampled_from(["a", "messages"]), values, max_size=4)
indents = st.sampled_from([None, 0, 2, "\t"])
GOOD = {"instruction": 'say "hi" {x} [y]', "output": "你好😀\\"}
CHAT = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
JUNK = [b"\n", b"\\", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\xff", b"\x00", b"NaN",
        b'"role"', b"9" * 5000, b"[" * 200, b"},{", b"\n  {", b"]\n[", b" x"]  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def small_window() -> Any:
    """A window of few bytes, so that each border falls anywhere."""
    patch = pytest.MonkeyPatch()
    patch.setattr(window, "CHUNK_BYTES", 16)
    patch.setattr(window, "_KEPT_BYTES", 24)
    yield
    patch.undo()


def read(content: bytes, n_head: int = 1) -> list[Record | Finding]:
    """What is found in the content, of which the head is given apart, as `records` does."""
    n_head = max(n_head, content.index(b"[") + 1)
    stream = BytesIO(content[n_head:])
    return list(array_records("f", content[:n_head], stream, n_bytes_before=0))


def values_of(found: list[Record | Finding]) -> list[Any]:
    return [item.value for item in found if isinstance(item, Record)]


def rules(found: list[Record | Finding]) -> list[tuple[str, str]]:
    """Rule and line of every finding, those of records included."""
    all_of_them: list[Finding] = []
    for item in found:
        all_of_them += [item] if isinstance(item, Finding) else item.findings
    return [(finding.rule, finding.where.removeprefix("f:")) for finding in all_of_them]


def not_in_a_record(content: bytes, found: list[Record | Finding]) -> bytes:
    """The bytes of the file that no record has, once their order has been checked."""
    left, between = content, b""
    for item in found:
        if isinstance(item, Record):
            assert item.raw
            before, _, left = left.partition(item.raw)
            between += before
    return between + left


@given(st.lists(objects, max_size=6), indents, st.integers(1, 60))
def test_every_element_has_its_value_its_line_and_its_bytes(
    rows: list[dict[str, Any]], indent: int | str | None, n_head: int
) -> None:
    content = json.dumps(rows, indent=indent, ensure_ascii=False).encode()
    found = read(content, n_head)
    assert values_of(found) == rows
    assert all(isinstance(item, Record) and json.loads(item.raw) == item.value for item in found)
    lines = content.split(b"\n")
    for item in found:
        assert isinstance(item, Record)
        assert item.raw.split(b"\n")[0] in lines[item.source.line - 1]
    assert not not_in_a_record(content, found).strip(b"[], \t\n")


edits = st.lists(
    st.tuples(st.integers(0, 2000), st.integers(0, 12), st.sampled_from(JUNK) | st.binary()),
    max_size=5,
)


@given(st.lists(st.sampled_from([GOOD, CHAT]), max_size=6), indents, edits, st.integers(1, 60))
def test_whatever_happens_to_the_file_every_byte_is_in_one_record_or_named(
    rows: list[dict[str, Any]],
    indent: int | str | None,
    changes: list[tuple[int, int, bytes]],
    n_head: int,
) -> None:
    content = json.dumps(rows, indent=indent, ensure_ascii=False).encode()
    for place, n_removed, added in changes:
        at = 1 + place % len(content)
        content = content[:at] + added + content[at + n_removed :]
    found = read(content, n_head)
    assert not not_in_a_record(content, found).strip(b"[], \t\r\n")
    assert all(item.findings for item in found if isinstance(item, Record) and item.value is None)
    if values_of(found) != rows and "multiple" not in str(rules(found)):
        # The edits may have made another sound array; json.loads is the judge.
        assert rules(found) or values_of(found) == json.loads(content)


@pytest.mark.parametrize("size", [10, 1000, 100_000])
def test_elements_longer_than_the_window_are_whole(size: int) -> None:
    rows = [GOOD, {"text": 'x"\\' * size, "more": [[{}] * 10] * 10}, GOOD]
    assert values_of(read(json.dumps(rows).encode())) == rows


def test_a_nested_object_that_begins_like_an_element_is_no_element() -> None:
    tree = {"text": "a", "children": [{"text": "b"}, {"text": "c"}, {"text": "d"}]}
    rows = [tree, {"text": "e"}, {"text": "f"}, tree, {"text": "g"}]
    assert values_of(read(json.dumps(rows).encode())) == rows


def test_a_nested_object_at_the_elements_indentation_is_no_element() -> None:
    rows = [CHAT, GOOD, CHAT]
    assert values_of(read(json.dumps(rows, indent=0).encode())) == rows


def test_a_second_array_is_named_and_read() -> None:
    content = json.dumps([GOOD], indent=2) + "\n" + json.dumps([CHAT, GOOD], indent=2)
    found = read(content.encode())
    assert rules(found) == [("json.multiple_values", "7")]
    assert values_of(found) == [GOOD, CHAT, GOOD]


def test_objects_after_the_array_are_kept_as_broken() -> None:
    content = json.dumps([GOOD]) + "\n" + json.dumps(CHAT) + "\n" + json.dumps(GOOD)
    found = read(content.encode())
    assert rules(found) == [("json.multiple_values", "2"), ("json.multiple_values", "3")]
    assert [item.raw for item in found if isinstance(item, Record)][1:] == [
        json.dumps(CHAT).encode(),
        json.dumps(GOOD).encode(),
    ]


@pytest.mark.parametrize("rest", [b"x", b"\x00" * 100, b'{"a": ', b"]", b"}", b",", b"]]]", b":,"])
def test_any_rest_after_the_array_is_named(rest: bytes) -> None:
    content = json.dumps([GOOD]).encode() + b"\n" + rest
    found = read(content)
    assert values_of(found)[0] == GOOD
    assert {rule for rule, _ in rules(found)} == {"json.multiple_values"}
    assert not not_in_a_record(content, found).strip(b"[], \n")


def test_a_long_rest_that_cannot_be_read_comes_in_parts() -> None:
    rest = b'{"a": oops' + b"x" * 10_000_000
    content = b"[" + json.dumps(GOOD).encode() + b", " + rest
    found = read(content)
    parts = [item.raw for item in found if isinstance(item, Record)][1:]
    assert len(parts) > 5
    assert b"".join(parts) == rest
    assert {rule for rule, _ in rules(found)} == {"json.syntax", "json.truncated"}


def test_a_missing_bracket_in_a_pretty_array_costs_one_record_and_is_named_there() -> None:
    text = json.dumps([CHAT, CHAT, GOOD, CHAT], indent=2)
    closing = "    ]\n  }"
    line = text[: text.index(closing)].count("\n")
    found = read(text.replace(closing, "", 1).encode())
    assert values_of(found) == [None, CHAT, GOOD, CHAT]
    assert rules(found) == [("json.syntax", str(line))]
    (broken,) = (item for item in found if isinstance(item, Record) and item.value is None)
    assert "not closed before the next one begins" in broken.findings[0].what


def test_the_column_counts_the_characters_of_the_line() -> None:
    good = json.dumps(GOOD, ensure_ascii=False)
    text = f"[{good}, {good}, " + '{"a": oops}]'
    found = read(text.encode())
    column = text.index("oops") + 1
    last = next(item for item in found if isinstance(item, Record) and item.value is None)
    assert f"column {column}," in last.findings[0].what
