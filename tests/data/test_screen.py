"""What the screen lets pass, the full way would pass without a finding."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneval.data.checking.screen import Screen, screen_for
from tuneval.data.containers.json_lines import LineReader
from tuneval.data.draft import Draft
from tuneval.data.example import Example, Source
from tuneval.data.finding import Finding
from tuneval.data.formats import FORMATS
from tuneval.data.plain import plain, plain_line
from tuneval.data.plain_draft import plain_draft
from tuneval.data.profiles import PROFILES
from tuneval.data.read import drafts_of
from tuneval.data.record import Record
from tuneval.data.rule import Rule
from tuneval.data.rules import RULES
from tuneval.data.rules.order import Order

MESSAGES = FORMATS.load("messages")
LINE = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}'
ODD = "\ufffd\u200b\ufeff\u2800\x00\x7f\xad\u3164Ã©â€™锟斤拷<|im_end|>[INST]浣犲ソ\u202e \t\n"
words = st.text(max_size=6) | st.text(alphabet=ODD, max_size=4) | st.sampled_from(["Hi", "好的"])
turns = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["system", "user", "assistant", "assistant", "tool", "usr", None]),
        "content": words | st.none() | st.just([]),
    },
    optional={"name": words, "train": st.booleans(), "tool_calls": st.just([])},
)
sound = st.builds(
    lambda system, pairs: [
        *({"role": "system", "content": text} for text in system),
        *(
            {"role": role, "content": text}
            for pair in pairs
            for role, text in zip(("user", "assistant"), pair, strict=True)
        ),
    ],
    st.lists(words, max_size=1),
    st.lists(st.tuples(words, words), min_size=1, max_size=3),
)
records = st.fixed_dictionaries({"messages": sound}) | st.fixed_dictionaries(
    {"messages": sound | st.lists(turns, max_size=4)},
    optional={"tools": st.just([]), "tags": st.just({}), "prompt": words},
)


def silent_rules() -> list[str]:
    """The rules that ever say that they are silent."""
    rows = {name: RULES.load(name) for name in RULES}
    return [
        name
        for name, row in rows.items()
        if row.marks is not None or row.is_silent is not Rule.is_silent
    ]


def seen_the_full_way(line: bytes, rule: Rule) -> list[Finding]:
    """All that reading and the rule say about a line."""
    (draft,) = drafts_of(LineReader("f").records([line]), MESSAGES, None)
    assert isinstance(draft, Draft)
    assert draft.item is not None
    return [*draft.findings, *rule.see(draft), *rule.finish()]


def test_the_rules_of_the_chat_profile_can_all_be_silent() -> None:
    assert set(PROFILES.load("trl-chat").rules) <= set(silent_rules())


@pytest.mark.parametrize("name", silent_rules())
def test_what_passes_has_no_finding(name: str) -> None:
    row = RULES.load(name)
    n_passed = 0

    @given(records, st.booleans())
    @settings(deadline=None, max_examples=150)
    def look(value: Any, ensure_ascii: bool) -> None:
        nonlocal n_passed
        line = json.dumps(value, ensure_ascii=ensure_ascii).encode("utf-8", "surrogatepass")
        if Screen([row()]).passes(line):
            n_passed += 1
            assert seen_the_full_way(line, row()) == []

    look()
    assert n_passed > 10


@given(st.fixed_dictionaries({"messages": sound}))
@settings(deadline=None, max_examples=200)
def test_a_plain_draft_is_what_the_format_makes_of_it(value: Any) -> None:
    record = Record(Source("f", 7), value)
    found = plain(value)
    if found is None:
        return
    quickly, fully = plain_draft(record, found), MESSAGES.draft(record)
    assert quickly.turns == fully.turns
    assert quickly.item == fully.item
    assert (quickly.kind, quickly.tools, quickly.label) == (fully.kind, fully.tools, fully.label)
    assert (quickly.group, quickly.tags) == (fully.group, fully.tags)
    assert (
        (quickly.findings, quickly.unused_keys) == (fully.findings, fully.unused_keys) == ((), ())
    )
    assert quickly.record is fully.record is record


def test_a_long_conversation_is_read_all_the_same() -> None:
    pair = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    for n_pairs in (64, 65):
        line = json.dumps({"messages": [{"role": "system", "content": "s"}, *pair * n_pairs]})
        assert (plain_line(line.encode()) is not None) == (n_pairs == 64)
        (draft,) = drafts_of(LineReader("f").records([line.encode()]), MESSAGES, None)
        assert isinstance(draft, Draft)
        assert isinstance(draft.item, Example)
        assert len(draft.turns) == len(draft.item.messages) == 1 + 2 * n_pairs
        assert draft.turns[-1].path == f"messages[{2 * n_pairs}].content"


class Hears(Rule):
    """A rule that only wants to see some texts."""

    marks = ("word",)

    def see(self, draft: Draft) -> list[Finding]:
        """Something about each."""
        return [draft.finding("hears.it", "It is there.", mend="leave it")]


def test_a_rule_with_marks_sees_what_has_one_of_them() -> None:
    screen = Screen([Hears(), Order()])
    assert screen.passes(LINE)
    for text in (b"a word", b"a\\u0020\\u0077ord"):
        assert not screen.passes(LINE.replace(b'"a"', b'"%s"' % text))


def test_a_rule_that_says_nothing_of_itself_sees_every_record() -> None:
    class Sees(Rule):
        pass

    assert screen_for([Order(), Sees()], MESSAGES) is None
    assert screen_for([Order()], FORMATS.load("alpaca")) is None
    assert screen_for([Order()], None) is None
    assert screen_for([Order()], MESSAGES) is not None


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace(b'"a"', b'"\\ud83d"'),
        LINE.replace(b'"role": "user"', b'"role": "user", "role": "user"'),
        LINE[:-1] + b', "score": NaN}',
        LINE + LINE,
        LINE + b",",
        b"\xef\xbb\xbf" + LINE,
        LINE.replace(b"a", b"\xff"),
        b"",
        b"[" + LINE + b"]",
    ],
)
def test_nothing_flawed_passes(line: bytes) -> None:
    assert not Screen([]).passes(line)
    assert Screen([]).passes(LINE)
