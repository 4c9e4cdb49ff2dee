from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.data.example import Example, Message, Source
from tuneval.scoring.config import ScoreConfig
from tuneval.scoring.item import ScoringItem, exercises_of
from tuneval.scoring.reasons import Unscored
from tuneval.scoring.scorers.repetition import STRETCH, Repetition, repeated
from tuneval.scoring.setting import Setting

SENTENCE = "the quick brown fox jumps over the lazy dog"
SENTENCE_ZH = "敏捷的棕色狐狸跳过了那只懒惰的狗"


def share(*responses: str) -> float | Unscored:
    turns = [
        Message(role, text) for r in responses for role, text in (("user", "?"), ("assistant", r))
    ]
    example = Example(tuple(turns), Source("data.jsonl", 1))
    item = ScoringItem(example, exercises_of(example))
    return Repetition(ScoreConfig()).combine(item, (), Setting())


def plain_share(text: str) -> float:
    """The definition, word for word, for lower-case ASCII without drawn lines."""
    text = " ".join(text.split())
    again = [False] * len(text)
    for start in range(1, len(text) - STRETCH + 1):
        stretch = text[start : start + STRETCH]
        if stretch in text[: start + STRETCH - 1]:
            again[start : start + STRETCH] = [True] * STRETCH
    return sum(again) / len(text) if text else 0.0


@pytest.mark.parametrize("times", [2, 3, 10])
@pytest.mark.parametrize("sentence", [SENTENCE, SENTENCE_ZH])
def test_what_comes_again_counts_and_the_first_time_does_not(sentence: str, times: int) -> None:
    text = "\n".join([sentence] * times)
    assert share(text) == pytest.approx(1 - 1 / times, abs=0.02)


def test_a_worked_example() -> None:
    text = f"{SENTENCE}; {SENTENCE}"  # 43 letters, two of them between, and 43 again
    assert repeated(text) == (43, 88)


def test_four_words_again_are_style_and_five_are_repetition() -> None:
    """Table A1 of Rae et al. (2021) counts duplicates from 5-grams on."""
    assert share("a cold wind blew. later a cold wind blew hard.") == 0
    assert share("a cold northern wind blew there. later a cold northern wind blew there.") > 0.3


def test_chinese_of_nine_characters_again_is_repetition() -> None:
    assert share("医疗保健成本上涨的原因，医疗保健成本上涨的后果") > 0.3
    assert share("医疗保健成本的原因，医疗保健成本的后果") == 0


@pytest.mark.parametrize("loop", ["a", "哈", "!", "ha ", "😂", "1", "|---|---" * 60, "\ud800"])
def test_loops_without_words_are_loops(loop: str) -> None:
    assert share(loop * 200) > 0.95


def test_case_width_and_white_space_make_no_difference() -> None:
    assert share(f"{SENTENCE}\n\n{SENTENCE.upper()}") == share(f"{SENTENCE} {SENTENCE}")
    assert share("ＡＢＣ" * 20) == share("abc" * 20)


def test_rules_of_tables_and_boxes_are_no_repetition() -> None:
    table = "| name of the fruit | price |\n" + "|" + "-" * 30 + "|" + "-" * 30 + "|\n| plum | 3 |"
    assert share(table) == 0
    assert share("+" + "-" * 40 + "+\nbox\n+" + "-" * 40 + "+") == 0


def test_turns_weigh_by_their_length_and_are_not_compared_with_one_another() -> None:
    assert share(SENTENCE, SENTENCE) == 0
    looped = "\n".join([SENTENCE] * 2)
    one, two = repeated(looped), repeated("No.")
    assert share(looped, "No.") == one.again / (one.total + two.total)


def test_what_is_not_there_has_a_reason() -> None:
    assert share("", " \n") == Unscored("empty_response")
    assert share() == Unscored("no_response")
    assert share("", SENTENCE) == 0


@given(st.text(alphabet="ab ", max_size=200))
def test_it_is_what_the_definition_says(text: str) -> None:
    found = repeated(text)
    assert (found.again / found.total if found.total else 0.0) == plain_share(text)


@given(st.text(max_size=120), st.sampled_from(["", " ", "\n\n"]))
def test_it_is_a_share_and_saying_a_text_again_never_lowers_it(text: str, between: str) -> None:
    once, twice = repeated(text), repeated(text + between + text)
    assert 0 <= once.again <= max(0, once.total - 1)
    assert twice.again * once.total >= once.again * twice.total


@pytest.mark.parametrize("text", ["a" * 10**6, "狗" * 333_333, "\n" * 10**6, "-" * 10**6])
def test_a_megabyte_takes_less_than_a_second(text: str) -> None:
    start = time.process_time()
    repeated(text)
    assert time.process_time() - start < 1


real = Path(os.environ.get("TUNEVAL_TEST_DATA", "/nowhere")) / "instruct"


@pytest.mark.skipif(not real.is_dir(), reason="TUNEVAL_TEST_DATA does not name real data files")
@pytest.mark.parametrize("name", ["alpaca_en_demo.json", "alpaca_zh_demo.json"])
def test_curated_answers_hardly_repeat_themselves(name: str) -> None:
    """Gopher drops documents beyond 0.15; of these sets that would be less than 2%."""
    shares = [share(row["output"]) for row in json.loads((real / name).read_bytes())]
    numbers = [one for one in shares if not isinstance(one, Unscored)]
    assert len(numbers) >= 997
    assert 0 < sum(one > 0.15 for one in numbers) / len(numbers) < 0.02
    assert sum(one == 0 for one in numbers) / len(numbers) > 0.7
