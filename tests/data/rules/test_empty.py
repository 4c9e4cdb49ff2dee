from __future__ import annotations

import pytest

from tuneval.data.plain import Plain
from tuneval.data.rules.empty import Empty


def severity(look, role: str, content: str, **more: object) -> list[tuple[str, str]]:
    found = look("empty", {"messages": [{"role": role, "content": content} | more]})
    return [(finding.rule, finding.severity) for finding in found]


@pytest.mark.parametrize(
    "text", [" ", " \t\n", "\u3000\xa0", "\u200b\u200b", "\ufeff", "\u2060 \xad"]
)
def test_what_nobody_can_see_is_no_text(look, text: str) -> None:
    assert severity(look, "assistant", text) == [("empty.only_spaces", "error")]


def test_a_turn_of_characters_without_a_shape_is_not_passed_over(look) -> None:
    unseen = [chr(code) for code in range(0x3200) if severity(look, "user", chr(code))]
    plain = [Plain(("user", "assistant"), (character, "a")) for character in unseen]
    assert not any(Empty().is_silent(found, "\n".join(found.contents)) for found in plain)
    assert "\u200b" in unseen


@pytest.mark.parametrize("text", ["0", ".", "好", "\u200ba", " \n- "])
def test_one_visible_character_is_a_text(look, text: str) -> None:
    assert severity(look, "assistant", text) == []


@pytest.mark.parametrize(
    ("role", "expected"),
    [("user", "error"), ("assistant", "error"), ("system", "warning"), ("tool", "warning")],
)
def test_turns_that_can_be_spared_are_warnings(look, role: str, expected: str) -> None:
    assert severity(look, role, "") == [("empty.turn", expected)]


def test_a_turn_that_calls_a_tool_needs_no_text(look) -> None:
    call = {"function": {"name": "add", "arguments": {}}}
    assert severity(look, "assistant", "", tool_calls=[call]) == []


def test_texts_and_both_sides_of_a_preference_are_looked_at(look) -> None:
    (finding,) = look("empty", {"text": "\n"}, format="text")
    assert (finding.rule, finding.path) == ("empty.only_spaces", "text")
    record = {"prompt": "问", "chosen": "", "rejected": " "}
    found = look("empty", record, format="preference")
    assert [(f.rule, f.path) for f in found] == [
        ("empty.turn", "chosen"),
        ("empty.only_spaces", "rejected"),
    ]
