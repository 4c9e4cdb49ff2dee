from __future__ import annotations

import time
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneval.data.duplicates import (
    answers,
    exact_duplicates,
    near_duplicates,
    question,
    shingles,
)
from tuneval.data.example import Example, Message, Source
from tuneval.errors import UsageError

SYSTEM = "Sort this customer message for the support desk. Answer with JSON only. " * 5
EN = "Tracking says my camera was handed over at two o'clock, but nobody rang here all day."
ZH = "我上周在你们网店买的智能手表充不进电了，换了两根充电线都没用，麻烦尽快处理一下。"


def example(line: int, asked: str, answered: str, system: str = SYSTEM) -> Example:
    """A conversation that shares a long system turn with all the others."""
    turns = (Message("system", system), Message("user", asked), Message("assistant", answered))
    return Example(turns, Source("f", line))


def lines(*examples: Example, threshold: float = 0.8) -> list[tuple[int, int]]:
    """The near pairs by their line numbers."""
    pairs = near_duplicates(examples, threshold)
    return [(pair.first.source.line, pair.second.source.line) for pair in pairs]


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (EN, EN.replace("nobody", "no one")),
        (EN, EN.replace("camera", "camrea")),
        (EN, EN.upper() + "!"),
        (EN, "  " + EN.replace(" ", "  ")),
        (ZH, ZH.replace("两根", "三根")),
        (ZH, ZH.replace("，", ",")),
        (ZH, ZH + "谢谢"),
    ],
)
def test_a_few_changed_characters_make_a_near_duplicate(text: str, changed: str) -> None:
    assert lines(example(1, text, "delivery"), example(2, changed, "delivery")) == [(1, 2)]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        (EN, "Tracking shows that the parcel with my new watch is still in the sorting centre."),
        (ZH, "我上个月在你们实体店买的摄像头连不上网，重启了三次路由器还是不行，请问怎么办？"),
        ("What is 2+2?", "What is 2-2?"),
        ("Write a poem about cats.", "Write a poem about dogs."),
        ("把灯打开", "把灯关上"),
    ],
)
def test_other_texts_are_no_near_duplicates(text: str, other: str) -> None:
    assert lines(example(1, text, "delivery"), example(2, other, "delivery")) == []


def test_a_shared_system_turn_makes_nothing_alike() -> None:
    assert lines(example(1, EN, "delivery"), example(2, ZH, "technical")) == []


def test_different_system_turns_hide_no_near_duplicate() -> None:
    assert lines(example(1, EN, "delivery", "Be brief."), example(2, EN, "delivery")) == [(1, 2)]


def test_one_long_answer_to_two_questions_is_no_duplicate() -> None:
    answer = "I am an assistant and I was made to help you with your questions. " * 5
    assert lines(example(1, "Who are you?", answer), example(2, "What can you do?", answer)) == []


def test_one_question_with_two_long_answers_is_no_duplicate() -> None:
    assert lines(example(1, "Tell me more.", EN), example(2, "Tell me more.", ZH)) == []


def test_exact_duplicates_are_not_near_ones_too() -> None:
    same = [example(line, EN, "delivery") for line in (1, 2, 3)]
    assert [(p.first.source.line, p.second.source.line) for p in exact_duplicates(same)] == [
        (1, 2),
        (1, 3),
    ]
    assert lines(*same, example(4, EN + "!", "delivery")) == [(1, 4)]


def test_keep_first_gives_each_example_once_with_the_earliest() -> None:
    alike = [example(i, EN + "!" * i, "delivery") for i in range(6)]
    assert len(near_duplicates(alike)) == 15
    pairs = near_duplicates(alike, keep="first")
    assert [(p.first.source.line, p.second.source.line) for p in pairs] == [
        (0, i) for i in range(1, 6)
    ]


def test_an_impossible_threshold_is_refused() -> None:
    with pytest.raises(UsageError):
        near_duplicates([], 0)


def test_shingles_are_wide_for_letters_and_narrow_for_ideographs() -> None:
    assert shingles("Hello  You") == {"hel", "ell", "llo", "lo ", "o y", " yo", "you"}
    assert shingles("你好吗") == {"你好", "好吗"}
    assert shingles("用A好") == {"用", "a", "好"}
    assert shingles(" \n") == frozenset()


# Texts of few different letters, so that some of them are alike.
texts = st.text(alphabet="ab你", min_size=0, max_size=12)


@given(st.lists(st.tuples(texts, texts), max_size=25), st.sampled_from([0.3, 0.5, 2 / 3, 0.8, 1.0]))
@settings(max_examples=300, deadline=None)
def test_near_pairs_equal_those_of_comparing_all_with_all(
    rows: list[tuple[str, str]], threshold: float
) -> None:
    examples = list({(q, a): example(i, q, a) for i, (q, a) in enumerate(rows)}.values())

    def alike(a: frozenset[str], b: frozenset[str]) -> float:
        return len(a & b) / len(a | b) if a | b else 0.0

    def whole(e: Example) -> frozenset[str]:
        return shingles(question(e)) | {"answer " + s for s in shingles(answers(e))}

    expected = {
        (a.source.line, b.source.line)
        for a, b in combinations(examples, 2)
        if alike(shingles(question(a)), shingles(question(b))) >= threshold - 1e-9
        and alike(whole(a), whole(b)) >= threshold - 1e-9
    }
    found = near_duplicates(examples, threshold)
    assert {(p.first.source.line, p.second.source.line) for p in found} == expected
    assert all(p.similarity == pytest.approx(alike(whole(p.first), whole(p.second))) for p in found)


def test_three_thousand_records_of_one_template_take_seconds_not_minutes() -> None:
    rows = [
        example(i, f"Please add {i * 7919 % 1000} and {i * 104729 % 1000} for me.", str(i))
        for i in range(3000)
    ]
    started = time.process_time()
    near_duplicates(rows, keep="first")
    assert time.process_time() - started < 20
