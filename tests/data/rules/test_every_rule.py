"""What holds for all rules: on any text, on real files, and in several processes."""

from __future__ import annotations

import os
import pickle
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneval.data.example import Source
from tuneval.data.formats import FORMATS
from tuneval.data.plain import plain
from tuneval.data.read import drafts
from tuneval.data.record import Record
from tuneval.data.rules import RULES
from tuneval.data.rules.length import LengthRule

TEST_DATA = os.environ.get("TUNEVAL_TEST_DATA")
ID = re.compile(r"\b[a-z_]+\.[a-z_]+\b")
PIECES = [
    *(
        "a",
        "The sea. ",
        "深",
        "海很大。",
        " ",
        "\n",
        "0",
        "13812345678",
        "li@qq.com",
        "```",
        "{",
        "[",
    ),
    *(
        "\ufffd",
        "Ã©",
        "ä½",
        "ÄãºÃ",
        "涓枃鏄",
        "锟斤拷",
        "é",
        "\x00",
        "\x7f",
        "\x85",
        "\u200b",
        "\ufeff",
    ),
    *(
        "\u202e",
        "\ud83d",
        "\U000e0041",
        "\u3000",
        "\u2800",
        "<|im_end|>",
        "### Response:",
        "N/A",
        "无",
    ),
    *(
        "As an AI, I cannot",
        "很抱歉，我无法回答",
        "1.",
        "\n2.",
        ",",
        "…",
        "👍🏽",
        "x" * 50,
        "的" * 50,
    ),
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=8).map("".join)
ROLES = st.sampled_from(["user", "assistant", "system", "tool", "text", "gpt"])
TURNS = st.lists(
    st.fixed_dictionaries(
        {"role": ROLES, "content": TEXTS},
        optional={
            "weight": st.sampled_from([0, 1]),
            "tool_call_id": st.sampled_from(["a", "b"]),
            "tool_calls": st.just([{"id": "a", "function": {"name": "f", "arguments": {}}}]),
        },
    ),
    min_size=1,
    max_size=5,
)
RECORDS = st.one_of(
    st.tuples(
        st.just("messages"), st.fixed_dictionaries({"messages": TURNS, "tools": st.just([{}])})
    ),
    st.tuples(st.just("text"), st.fixed_dictionaries({"text": TEXTS, "more": TEXTS})),
    st.tuples(
        st.just("preference"),
        st.fixed_dictionaries({"prompt": TURNS, "chosen": TURNS, "rejected": TURNS}),
    ),
)


def draft_of(format: str, value: dict[str, Any]) -> Any:
    return FORMATS.load(format).draft(Record(Source("data.jsonl", 1), value))


@settings(max_examples=60)
@given(records=st.lists(RECORDS, max_size=3))
def test_every_rule_looks_at_anything_and_says_only_what_it_announces(records) -> None:
    for name in RULES:
        rule = RULES.load(name)()
        announced = set(ID.findall(RULES.load(name).__doc__))
        found = [f for format, value in records for f in rule.see(draft_of(format, value))]
        found += pickle.loads(pickle.dumps(rule)).finish()
        assert {finding.rule for finding in found} <= announced
        assert all(finding.rule.startswith(f"{name}.") for finding in found)
        assert all(finding.what and finding.mend for finding in found)


@given(contents=st.lists(TEXTS, min_size=2, max_size=3))
def test_a_rule_that_finds_something_in_a_plain_conversation_is_not_silent(contents) -> None:
    roles = ["system", "user", "assistant"][-len(contents) :]
    turns = [{"role": r, "content": c} for r, c in zip(roles, contents, strict=True)]
    record = {"messages": turns}
    if (found := plain(record)) is None:
        return
    draft = draft_of("messages", record)
    for name in RULES:
        rule = RULES.load(name)()
        if [*rule.see(draft)]:
            assert not rule.is_silent(found, "\n".join(contents)), name


LONG = [
    " ",
    "\n",
    "a",
    "中",
    "1. ",
    "[",
    ". A",
    "\n- ",
    "a.",
    "12 34 ",
    "Ã",
    "\u200b",
    "a\u200d",
    "I ",
]


@pytest.mark.parametrize("piece", LONG)
def test_a_long_text_takes_no_longer_than_for_its_length(piece: str) -> None:
    """A pattern that goes back and forth takes minutes for one of these, until the time is up."""
    text = (piece * 60_000)[:60_000]
    for prompt, response in ((text, "```x" + text + "x"), ("问题", "问题" + text)):
        turns = [
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": response},
        ]
        draft = draft_of("messages", {"messages": turns})
        for name in ONE_BY_ONE:
            rule = RULES.load(name)()
            list(rule.see(draft))


# Every finding in the real files was looked at; each is what its rule says, but for one refusal
# (alpaca_zh_demo, line 2702, speaks of what an AI has to hand on).
REAL = {
    "identity": (91, {}),
    "alpaca_en_demo": (999, {"refusal.boilerplate": 22, "truncated.response": 6}),
    "alpaca_zh_demo": (
        1000,
        {
            "refusal.boilerplate": 30,
            "language.mismatch": 5,
            "truncated.response": 5,
            "template_tokens.heading": 1,
        },
    ),
    "dpo_zh_demo": (
        300,
        {
            "refusal.boilerplate": 7,
            "encoding.replacement_character": 6,
            "truncated.response": 2,
            "control_characters.invisible": 1,
        },
    ),
    "kto_en_demo": (
        300,
        {
            "encoding.mojibake": 2,
            "template_tokens.present": 2,
            "truncated.response": 1,
            "control_characters.present": 1,
        },
    ),
    "glaive_toolcall_zh_demo": (
        300,
        {
            "refusal.boilerplate": 49,
            "language.mismatch": 4,
            "truncated.response": 2,
            "order.tool_without_call": 2,
        },
    ),
}
ONE_BY_ONE = [
    *("roles", "order", "empty", "tool_calls", "encoding", "control_characters", "echo"),
    *("template_tokens", "truncated", "near_empty", "refusal", "language", "personal_data"),
    *("leakage", "preference_pair", "extra_keys", "weights", "few_rows"),
]


@pytest.mark.skipif(not TEST_DATA, reason="TUNEVAL_TEST_DATA names no folder of real data files")
@pytest.mark.parametrize("name", REAL)
def test_in_real_files_only_what_is_wrong_is_found(name: str) -> None:
    n_records, expected = REAL[name]
    rules = [RULES.load(rule)() for rule in ONE_BY_ONE]
    found: Counter[str] = Counter()
    seen = [*drafts(Path(TEST_DATA or "", "instruct", f"{name}.json")).items]
    for draft in seen:
        for rule in rules:
            found.update(finding.rule for finding in rule.see(draft))
    for rule in rules:
        found.update(finding.rule for finding in rule.finish())
    assert (len(seen), dict(found)) == (n_records, expected)


def test_the_rule_about_length_announces_its_finding() -> None:
    assert ID.findall(LengthRule.__doc__ or "") == ["length.over_max"]
