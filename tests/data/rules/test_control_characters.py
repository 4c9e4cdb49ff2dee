from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Tall:\x00 8,849 m", "present"),
        ("bold: \x1b[1m", "present"),
        ("del \x7f", "present"),
        ("高\x0b度", "present"),
        ("next \x85line", "present"),
        ("if admin\u202e{ }", "bidi"),
        ("a \u2066b\u2069", "bidi"),
        ("珠\u200b穆朗玛峰", "invisible"),
        ("Ever\u200best", "invisible"),
        ("Ever\u00adest", "invisible"),
        ("joined\u200dletters", "invisible"),
        ("a mark inside \ufeff", "invisible"),
        ("hidden \U000e0068\U000e0069 tags", "invisible"),
        ("left \u200eto right", "invisible"),
    ],
)
def test_what_nobody_sees_is_a_warning(look, text: str, kind: str) -> None:
    (finding,) = look("control_characters", {"text": text}, format="text")
    assert (finding.rule, finding.severity) == (f"control_characters.{kind}", "warning")
    assert "U+" in finding.what
    assert finding.what.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "line\n\ttab\r\n",
        "珠穆朗玛峰高8,849米。\u3000全角空格",
        "👨\u200d👩\u200d👧 and ❤\ufe0f and 🏴\U000e0067\U000e0062\U000e007f",
        "می\u200cخواهم \u200fسلام",
        "क्\u200dष",
        "ภาษา\u200bไทย",
        "שלום \u2067abc\u2069 עולם",
        "",
    ],
)
def test_line_breaks_and_what_scripts_need_pass(look, text: str) -> None:
    assert look("control_characters", {"text": text}, format="text") == []


def test_each_kind_is_told_once_with_its_characters(look) -> None:
    (finding,) = look("control_characters", {"text": "a\x00b\x00c\x07"}, format="text")
    assert "U+0000 (2 times), U+0007 (1 times)" in finding.what
