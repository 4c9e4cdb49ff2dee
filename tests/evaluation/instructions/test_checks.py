"""What each instruction takes and refuses, in both languages and beside IFEval's own checkers."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from tuneval.errors import DataError
from tuneval.evaluation.instructions.checks import CHECKS, check, instruction_from
from tuneval.evaluation.instructions.counting import n_sentences, n_words
from tuneval.evaluation.instructions.follow import followed
from tuneval.evaluation.metric import Unscored

CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("keywords:existence", {"keywords": ["Map", "长城"]}, "a map of 长城", "a map"),
    (
        "keywords:frequency",
        {"keyword": "ab", "frequency": 2, "relation": "at least"},
        "ab AB",
        "ab a b",
    ),
    (
        "keywords:frequency",
        {"keyword": "a.b", "frequency": 1, "relation": "less than"},
        "axb",
        "a.b",
    ),
    ("keywords:forbidden_words", {"forbidden_words": ["red"]}, "a hundred", "Red it is"),
    ("keywords:forbidden_words", {"forbidden_words": ["好"]}, "很棒", "你好吗"),
    (
        "keywords:letter_frequency",
        {"letter": "E", "let_frequency": 2, "let_relation": "at least"},
        "eE",
        "e",
    ),
    (
        "language:response_language",
        {"language": "zh"},
        "我喜欢 Python 语言的简洁与清晰",
        "I 爱 you",
    ),
    ("language:response_language", {"language": "en"}, "I like it.", "我喜欢"),
    (
        "language:response_language",
        {"language": "en"},
        "The house at the end of the long road is very old now.",
        "Das alte Haus steht einsam hinter einem dichten dunklen Wald ohne jeden Weg dorthin.",
    ),
    ("language:response_language", {"language": "ja"}, "東京はとても大きい都市です", "东京很大"),
    ("language:response_language", {"language": "zh"}, "东京很大", "東京はとても大きい都市です"),
    ("language:response_language", {"language": "ru"}, "Привет всем", "Hello to all"),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 2, "relation": "exactly"},
        "Dr. Lee pays 3.50 for it. Why?",
        "One. Two. Three.",
    ),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 2, "relation": "at least"},
        "今天很好。明天呢？",
        "今天很好，明天也好。",
    ),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a\n***\nb", "a\n\nb"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "***a***b***", "a*** ***b"),
    (
        "length_constraints:number_words",
        {"num_words": 3, "relation": "less than"},
        "two words",
        "now three words",
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "then"},
        'First.\n\n"Then it went.',
        "First.\n\nThenceforth it went.",
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[a] and [b]", "[a b]"),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Bye\np. s. more", "Bye ps"),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "P. P. S more", "P.S. more"),
    (
        "detectable_format:number_bullet_lists",
        {"num_bullets": 2},
        "* a\n- b\n**bold**",
        "* a\n- b\n* c",
    ),
    ("detectable_format:constrained_response", {}, "My answer is maybe.", "Maybe."),
    ("detectable_format:constrained_response", {"options": ["是。"]}, "是。", "否。"),
    (
        "detectable_format:number_highlighted_sections",
        {"num_highlights": 2},
        "*a* and **b**",
        "*a* and ** **",
    ),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "Part", "num_sections": 2},
        "Part 1 a Part 2 b",
        "Part one, Part 2",
    ),
    ("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', "a: 1"),
    ("detectable_format:json_format", {}, "null", "Here: null"),
    ("detectable_format:title", {}, "<<The Sea>>\nIt", "<The Sea> << >>"),
    ("combination:two_responses", {}, "a\n******\nb", "a\n******\na"),
    ("combination:two_responses", {}, "******a******b", "a******b******c"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say it"}, "say it. It", "It. Say it"),
    ("startend:end_checker", {"end_phrase": "The end."}, '"It was so. the END."', "The end. No"),
    ("startend:quotation", {}, '"so"', '"so" he said'),
    ("startend:quotation", {}, "“好”", "好”"),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 2, "capital_relation": "at least"},
        "STOP the WELL-KNOWN car",
        "Stop THE car",
    ),
    ("change_case:english_capital", {}, "IT IS 5.", "It IS."),
    ("change_case:english_lowercase", {}, "it is 5.", "it Is."),
    ("punctuation:no_comma", {}, "a; b", "a，b"),
    ("startend:start_checker", {"start_phrase": "Well"}, " Well then", "Oh Well"),
    ("punctuation:forbidden_marks", {"marks": ["!", "？"]}, "so?", "吗？"),
    ("keywords:no_digits", {}, "ten 十", "１０"),
    (
        "length_constraints:number_characters",
        {"num_characters": 4, "relation": "exactly"},
        "a b\n中文",
        "abcde",
    ),
    (
        "length_constraints:number_lines",
        {"num_lines": 2, "relation": "exactly"},
        "a\n\n b ",
        "a b",
    ),
    (
        "length_constraints:line_characters",
        {"num_characters": 5},
        "春眠不觉晓，\n处处闻啼鸟。",
        "春眠不觉晓，\n处处有鸟。",
    ),
    (
        "length_constraints:blank_line_paragraphs",
        {"num_paragraphs": 2},
        "a\nb\n \nc",
        "a\n\nb\n\nc",
    ),
    ("detectable_format:numbered_list", {"num_items": 2}, "1. a\n2、b", "1. a\n3. b"),
    ("detectable_format:json_keys", {"keys": ["a", "b"]}, '{"b": 1, "a": 2}', '{"a": 1}'),
    (
        "detectable_format:table",
        {"num_columns": 2, "num_rows": 1},
        "| a | b |\n|---|:-:|\n| 1 | 2 |",
        "| a | b |\n| 1 | 2 |\n| 3 | 4 |",
    ),
    (
        "detectable_format:table",
        {"num_columns": 1, "num_rows": 2},
        "| a |\n|---|\n| 1 |\n| 2 |",
        "| a |\n|---|\n| 1 |",
    ),
]


@pytest.mark.parametrize(("name", "arguments", "right", "wrong"), CASES)
def test_an_instruction_takes_the_right_and_refuses_the_wrong(
    name: str, arguments: dict[str, Any], right: str, wrong: str
) -> None:
    instruction = instruction_from(name, arguments, where="here")
    assert check(right, instruction) is True
    assert check(wrong, instruction) is False
    assert check(" \n", instruction) is False


def test_every_instruction_has_a_case() -> None:
    assert {name for name, *_ in CASES} == set(CHECKS)


# Not compared: where ours counts otherwise on purpose (sentences, capitals, language, no_comma in
# Chinese), and a keyword that is a pattern to theirs.
COMPARED = [
    case
    for case in CASES
    if case[0]
    in {
        "keywords:existence",
        "keywords:letter_frequency",
        "length_constraints:number_paragraphs",
        "length_constraints:number_words",
        "detectable_content:number_placeholders",
        "detectable_content:postscript",
        "detectable_format:multiple_sections",
        "detectable_format:json_format",
        "detectable_format:title",
        "combination:two_responses",
        "combination:repeat_prompt",
        "startend:end_checker",
    }
]


@pytest.fixture(name="ifeval")
def _ifeval(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """lm-eval's checkers, without the packages that the compared ones do not use."""
    pytest.importorskip("lm_eval")
    nltk = pytest.importorskip("nltk")
    stand_ins = {
        "langdetect": ModuleType("langdetect"),
        "immutabledict": ModuleType("immutabledict"),
    }
    stand_ins["immutabledict"].immutabledict = dict  # type: ignore[attr-defined]
    for name, module in stand_ins.items():
        if name not in sys.modules:
            monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(nltk.data, "find", lambda name: name)
    from lm_eval.tasks.ifeval import instructions_registry

    return instructions_registry


@pytest.mark.parametrize(("name", "arguments", "right", "wrong"), COMPARED)
def test_verdicts_are_those_of_ifeval(
    ifeval: ModuleType, name: str, arguments: dict[str, Any], right: str, wrong: str
) -> None:
    theirs = ifeval.INSTRUCTION_DICT[name](name)
    theirs.build_description(**arguments)
    assert [bool(theirs.check_following(answer)) for answer in (right, wrong)] == [True, False]


def test_words_and_sentences_are_counted_in_both_languages() -> None:
    assert n_words("It's 3.5 km, 你好") == 7
    assert n_sentences("") == 0
    assert n_sentences("one line\nanother line") == 2
    assert n_sentences("“走吧。”他说。") == 2
    assert n_sentences("Wait... what?! Yes") == 3


def test_wrapping_is_forgiven_loosely_and_not_strictly() -> None:
    instructions = [
        {"id": "detectable_format:json_format"},
        {"id": "keywords:no_digits"},
    ]
    answer = 'Sure, here it is:\n{"a": true}\nAnything else?'
    assert followed(answer, instructions) == [False, True]
    assert followed(answer, instructions, loosely=True) == [True, True]
    bold = [{"id": "startend:end_checker", "end_phrase": "done"}]
    assert followed("It is **done**", bold) == [False]
    assert followed("It is **done**", bold, loosely=True) == [True]
    assert followed("\n", bold, loosely=True) == [False]


def test_a_language_that_cannot_be_told_is_unscored() -> None:
    instruction = {"id": "language:response_language", "language": "es"}
    assert isinstance(followed("Hola a todos", [instruction]), Unscored)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("keywords:existance", {}, "did you mean 'keywords:existence'"),
        ("keywords:existence", {}, "keywords"),
        ("keywords:existence", {"keywords": None}, "keywords"),
        ("punctuation:no_comma", {"comma": 1}, "nothing"),
    ],
)
def test_a_wrong_instruction_says_what_to_write(
    name: str, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError) as caught:
        instruction_from(name, arguments, where="file:3")
    assert said in caught.value.mend
    assert caught.value.where == "file:3"
