"""The fast way to read JSON never says more than the exact one: it agrees or does not decide."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneval.data.example import Example, Message, Source, Text
from tuneval.data.plain import plain, plain_line
from tuneval.data.strict_json import (
    MAX_DEPTH,
    UNDECIDED,
    JsonError,
    StrictDecoder,
    quick,
    skip_whitespace,
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(['"', '":', '\\":', '"a": 1', "\ud83d", "\\u0022"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3) | st.sampled_from(["a", "b", '"']), inner, max_size=4)
    ),
    max_leaves=12,
)
messages = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["system", "user", "assistant", "tool", ""]),
            "content": st.text(max_size=5) | st.sampled_from(['"', " ", "", None, 5, ["a"]]),
        },
        optional={"name": st.just("n")},
    ),
    max_size=5,
)
chats = st.fixed_dictionaries({"messages": messages}, optional={"tags": st.just({})})
styles: list[dict[str, Any]] = [
    {},
    {"ensure_ascii": False},
    {"separators": (",", ":"), "ensure_ascii": False},
    {"separators": (" ,\t", " :\r "), "ensure_ascii": False},
]
TOKENS = [
    *(b'"a":1,', b'"a" : 1,', b'"role":"user",', b'\\"', b"\\u0022", b"\\ud800", b"NaN", b"1e999"),
    *(b"99999999999999999999", b"-0", b"1.0E5", b"true", b"[", b"]", b"{", b"}", b'"', b"\\", b","),
    *(b":", b" ", b"\t", b"\xff", b"\xef\xbb\xbf", b"\x00"),
]
edits = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 3), st.sampled_from(TOKENS)), max_size=3
)


def written(value: Any, style: dict[str, Any]) -> bytes:
    """The value as JSON in UTF-8; a half of a surrogate pair makes bytes that are not."""
    return json.dumps(value, **style).encode("utf-8", "surrogatepass")


def edited(content: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """The content with a few tokens put in, others taken out."""
    for place, n_removed, added in changes:
        at = place % (len(content) + 1)
        content = content[:at] + added + content[at + n_removed :]
    return content


def exactly(content: bytes) -> Any:
    """The value by the exact way, or UNDECIDED when anything is wrong with the text."""
    try:
        text = content.decode("utf-8")
        decoded = StrictDecoder().decode(text, skip_whitespace(text, 0))
    except (UnicodeDecodeError, JsonError):
        return UNDECIDED
    whole = skip_whitespace(text, decoded.end) == len(text)
    return decoded.value if whole and not decoded.flaws else UNDECIDED


def same(a: Any, b: Any) -> bool:
    """Equal in type as well: to Python, 1 and true and 1.0 are equal."""
    return repr(a) == repr(b)


@given(values | chats, st.sampled_from(styles), edits)
@settings(deadline=None, max_examples=800)
def test_what_the_fast_way_gives_the_exact_way_gives_too(
    value: Any, style: dict[str, Any], changes: list[tuple[int, int, bytes]]
) -> None:
    content = edited(written(value, style), changes)
    found = quick(content)
    if found is not UNDECIDED:
        assert same(found, exactly(content))


@given(chats, st.sampled_from(styles), edits)
@settings(deadline=None, max_examples=600)
def test_a_plain_line_is_flawless_and_what_it_says(
    value: Any, style: dict[str, Any], changes: list[tuple[int, int, bytes]]
) -> None:
    content = edited(written(value, style), changes)
    found = plain_line(content)
    if found is not None:
        exact = exactly(content)
        assert found == plain(exact)
        assert [m["role"] for m in exact["messages"]] == list(found.roles)
        assert [m["content"] for m in exact["messages"]] == list(found.contents)
        assert all(content.strip() for content in found.contents)


texts = st.text(max_size=8) | st.sampled_from(["\ud83d", "\x00\x7f\x1f", "\u2028", '"\\/\b\f'])


@given(texts, texts, st.none() | st.booleans())
def test_an_id_is_the_hash_that_pythons_json_gives(
    asked: str, said: str, train: bool | None
) -> None:
    example = Example((Message("user", asked), Message("assistant", said, train)), Source("f", 1))
    rows = [["user", asked, None], ["assistant", said, train]]
    assert example.id == _hash_by_json(rows)
    assert Text(asked, Source("f", 1)).id == _hash_by_json({"text": asked})


def _hash_by_json(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@pytest.mark.parametrize(
    "text",
    [
        '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}',
        '{"a": "say \\"b\\": \\\\\\"c\\\\\\"", "n": [1, -2.5, 18446744073709551615, null]}\r\n',
        ' \t{"a" : {"b" : ["\\u4f60\\ud83d\\ude00", "\\u0022"]}} ',
    ],
)
def test_sound_lines_of_any_style_go_the_fast_way(text: str) -> None:
    assert same(quick(text.encode()), json.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 1}',
        '{"a" : 1, "a": 2}',
        '{"a": "\\u0022", "b": {"c": "\\"", "c": 1}}',
        '{"a": 1, "\\u0061": 2}',
        '{"a": NaN}',
        '{"a": 1e999}',
        '{"a": 18446744073709551616}',
        '{"a": "\\ud83d"}',
        "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        "[" * 20_000 + "]" * 20_000,
        '{"a": 1} {"b": 2}',
        "",
    ],
)
def test_what_may_be_flawed_is_left_to_the_exact_way(text: str) -> None:
    assert quick(text.encode()) is UNDECIDED


def test_a_key_that_hides_behind_escaped_quotes_is_not_passed() -> None:
    twice = b'{"messages":[{"role":"user","role":"user","content":"\\u0022\\u0022\\u0022\\u0022"},'
    line = twice + b'{"role":"assistant","content":"b"}]}'
    assert json.loads(line)["messages"][0]["content"].count('"') == 4
    assert plain_line(line) is None
    assert quick(line) is UNDECIDED


def test_twenty_thousand_brackets_neither_crash_nor_pass() -> None:
    for mark, end in (("[", "]"), ('{"a":', "}"), ("[", ""), ('[{"a":', "")):
        text = mark * 20_000 + "1" + end * 20_000
        assert quick(text.encode()) is UNDECIDED
        with pytest.raises(JsonError) as caught:
            StrictDecoder().decode(text)
        assert caught.value.flaw.rule == "json.too_deep"


def test_every_beginning_of_a_record_is_known_to_break_off() -> None:
    text = '{"a": [{"b\\n": "\\u4f60\\ud83d\\ude00"}, true, false, null, -1.5e-10], "c": 12.0E+5}'
    for end in range(1, len(text)):
        with pytest.raises(JsonError) as caught:
            StrictDecoder().decode(text[:end])
        assert caught.value.breaks_off, text[:end]


@pytest.mark.parametrize("text", ['{"a": nul}', "{'a': 1", '{"a": 1,}', '{"a": "\\x"', "[1 2"])
def test_what_is_wrong_before_its_end_does_not_break_off(text: str) -> None:
    with pytest.raises(JsonError) as caught:
        StrictDecoder().decode(text)
    assert not caught.value.breaks_off
