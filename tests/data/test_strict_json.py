from __future__ import annotations

import pytest

from tuneval.data.strict_json import MAX_DEPTH, JsonError, StrictDecoder


def rules(text: str) -> list[str]:
    """The rules that a text breaks although it can be read."""
    return [flaw.rule for flaw in StrictDecoder().decode(text).flaws]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('{"a": 1, "a": 2}', "json.duplicate_key"),
        ('{"a": {"b": 1, "b": 1}}', "json.duplicate_key"),
        ('{"a": NaN}', "json.nan"),
        ('{"a": -Infinity}', "json.nan"),
        ('{"a": 1e999}', "json.number"),
        ('{"a": "\\ud83d"}', "encoding.lone_surrogate"),
        ('{"a\\udc00": 1}', "encoding.lone_surrogate"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "json.too_deep"),
    ],
)
def test_what_python_lets_pass_is_named(text: str, rule: str) -> None:
    assert rules(text) == [rule]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "\\ud83d\\ude00"}',
        '{"a": "😀"}',
        '{"a": "\u2028\u0085"}',
        '{"a": 1e10, "b": 123456789012345678901234567890}',
        '{"a": "' + "{[" * 200 + '"}',
        "[" * MAX_DEPTH + "]" * MAX_DEPTH,
    ],
)
def test_good_json_has_no_flaw(text: str) -> None:
    assert rules(text) == []


@pytest.mark.parametrize(
    ("text", "what", "mend"),
    [
        ('{"a": 1,}', "a comma", "remove the comma"),
        ('{"a": [1, 2,]}', "a comma", "remove the comma"),
        ("{'a': 1}", "single quote", "double quotes"),
        ('{"a": "b\n"}', "U+000A", "\\n"),
        ('{"a": "C:\\games"}', "backslash", "two backslashes"),
        ('{"a": "b}', "never closed", "close it"),
        ('{"a": 1', "breaks off", "complete"),
        ('{"a": nul}', "column 7", "mend the line"),
    ],
)
def test_syntax_errors_are_said_in_words(text: str, what: str, mend: str) -> None:
    with pytest.raises(JsonError) as caught:
        StrictDecoder().decode(text)
    assert what in caught.value.flaw.what
    assert mend in caught.value.flaw.mend


def test_absurd_nesting_is_no_crash() -> None:
    with pytest.raises(JsonError) as caught:
        StrictDecoder().decode("[" * 200_000 + "]" * 200_000)
    assert caught.value.flaw.rule == "json.too_deep"


def test_a_number_too_long_to_read_is_named() -> None:
    with pytest.raises(JsonError) as caught:
        StrictDecoder().decode("9" * 5000)
    assert caught.value.flaw.rule == "json.number"


def test_a_lone_surrogate_is_found_at_its_path() -> None:
    text = '{"messages": [{"role": "user", "content": "ab\\udE00c"}]}'
    (flaw,) = StrictDecoder().decode(text).flaws
    assert flaw.path == "messages[0].content"
    assert "\\ude00" in flaw.what
