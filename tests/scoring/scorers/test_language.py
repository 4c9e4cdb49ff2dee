from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.data.example import Example, Message, Source
from tuneval.scoring.config import ScoreConfig
from tuneval.scoring.item import ScoringItem, exercises_of
from tuneval.scoring.reasons import Unscored
from tuneval.scoring.scorers.language import LanguageMatch
from tuneval.scoring.setting import Setting

ENGLISH = "Beijing is the capital of China and has more than twenty million people."
CHINESE = "北京是中华人民共和国的首都，位于华北平原的北部，人口超过两千万。"
JAPANESE = "東京は日本の首都で、人口は千四百万人です。"
RUSSIAN = "Москва — столица и крупнейший город страны."


def match(*turns: str, system: str | None = None, input: str | None = None) -> float | Unscored:
    messages = [Message("system", system)] if system else []
    for place, text in enumerate(turns):
        role = "assistant" if place % 2 else "user"
        messages.append(Message(role, text, input=input if place == 0 else None))
    example = Example(tuple(messages), Source("data.jsonl", 1))
    item = ScoringItem(example, exercises_of(example))
    return LanguageMatch(ScoreConfig()).combine(item, (), Setting())


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("请告诉我你对北京这座城市的了解。", CHINESE),
        ("Tell me about the capital of China.", ENGLISH),
        ("日本の首都を教えてください。", JAPANESE),
        ("日本の首都を教えてください。", "東京"),
        ("翻译成英文：北京是中国的首都。", ENGLISH),
        ("将句子“El agua es importante”翻译成英语。", "Water is important in this life."),
        ("Translate into Chinese: the capital has many people.", CHINESE),
        ("Write a poem in Japanese about the capital.", JAPANESE),
        ("请用日语介绍东京。", JAPANESE),
        ("写一个包含“do away with”短语的句子。", "We should do away with single-use plastics."),
        ("改变以下名词为复数形式：watch", 'The plural form of "watch" is "watches".'),
        ("编写一段代码，输出所有的质数。", "for n in range(2, 100):\n    print(n)"),
        ("请总结下面的文章。\n" + ENGLISH, CHINESE),
        ("请总结下面的文章。\n" + ENGLISH, ENGLISH),
        ("介绍一下苹果手机。", "它是 Apple 公司的 iPhone 15 Pro Max，系统为 iOS。"),
        ("打开网站的方法是什么？", "请打开 https://example.com/this-is-the-page 然后登录。"),
        ("如何求和？", "用下面的函数：\n```python\n# add all of the numbers up\nsum(x)\n```"),
    ],
)
def test_the_language_of_the_question_or_the_one_it_asks_for_matches(prompt, response) -> None:
    assert match(prompt, response) == 1.0


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("请告诉我你对北京这座城市的了解。", ENGLISH),
        ("介绍一下 Tesla 这家公司。", "Tesla is a maker of electric cars and of batteries."),
        ("Tell me about the capital of China.", CHINESE),
        ("Tell me about the capital of Russia.", RUSSIAN),
        ("请告诉我你对莫斯科的了解。", RUSSIAN),
        (
            "将日期（dd/mm/yyyy）转换为美国格式（mm/dd/yyyy）。",
            "The date in the other format is this.",
        ),
    ],
)
def test_another_script_does_not_match(prompt: str, response: str) -> None:
    assert match(prompt, response) == 0.0


def test_a_mixed_answer_matches_in_part() -> None:
    """30 characters of four letters each; 14 Latin letters in a row of four words."""
    chinese = "好" * 30
    assert match("请介绍一下。", f"{chinese} this is one fault") == pytest.approx(120 / (120 + 14))
    assert match("Tell me more.", f"this is one fault {chinese}") == pytest.approx(14 / (120 + 14))


def test_names_in_latin_letters_say_nothing_about_a_chinese_answer() -> None:
    assert match("介绍一个乐队。", "Linkin Park") == Unscored("no_letters")
    assert match("Name a band.", "Linkin Park") == 1.0


def test_what_has_no_letters_has_no_language() -> None:
    assert match("How much is it?", "42") == Unscored("no_letters")
    assert match("1 + 1 = ?", "It is two.") == Unscored("no_letters")
    assert match("Write it.", "```python\nprint(1)\n```") == Unscored("no_letters")


def test_what_is_not_there_has_a_reason() -> None:
    assert match("Hello?") == Unscored("no_response")
    assert match("Hello?", " ") == Unscored("empty_response")


def test_a_translation_into_nobody_knows_what_is_left_open() -> None:
    assert match("请翻译这句话。", ENGLISH) == Unscored("language_left_open")
    assert match("请翻译这句话。", CHINESE) == 1.0
    bengali = "শুভ সকাল, আমার বন্ধু"
    found = match("Translate from English to Bengali: good morning, my friend.", bengali)
    assert found == Unscored("language_left_open")  # a language that is not in the table


def test_a_system_turn_may_ask_and_an_earlier_turn_may_tell_the_language() -> None:
    assert match("请介绍北京。", ENGLISH, system="Always answer in English.") == 1.0
    assert match("请介绍北京。", CHINESE, "1 + 1 = ?", "答案是二。") == 1.0
    assert match("请介绍北京。", CHINESE, "1 + 1 = ?", "It is two, of course.") < 1.0


def test_turns_weigh_by_their_letters() -> None:
    found = match("请介绍北京。", "好" * 10, "请再说一说。", "this is one fault")
    assert found == pytest.approx(40 / 54)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_gives_a_share_or_a_reason(prompt: str, response: str) -> None:
    found = match(prompt, response)
    assert isinstance(found, Unscored) or 0 <= found <= 1


@pytest.mark.parametrize(
    "text", ["a" * 10**6, "a b " * 250_000, "`" * 10**6, "$" * 10**6, "\ud800"]
)
def test_hard_texts_are_no_trouble(text: str) -> None:
    assert match("请介绍北京。" + text, text) is not None


real = Path(os.environ.get("TUNEVAL_TEST_DATA", "/nowhere")) / "instruct"


@pytest.mark.skipif(not real.is_dir(), reason="TUNEVAL_TEST_DATA does not name real data files")
@pytest.mark.parametrize(
    ("name", "mismatched"),
    [
        ("alpaca_en_demo.json", []),
        # English answers to Chinese questions that ask for none, found by reading the set.
        ("alpaca_zh_demo.json", [322, 332, 351, 353, 421, 458, 576, 612, 625, 893]),
    ],
)
def test_mismatches_of_the_real_sets_are_those_a_reader_finds(name: str, mismatched) -> None:
    rows = json.loads((real / name).read_bytes())
    found = []
    for place, row in enumerate(rows):
        prompt = row["instruction"] + ("\n" + row["input"] if row["input"] else "")
        score = match(prompt, row["output"], input=row["input"] or None)
        if not isinstance(score, Unscored) and score < 0.5:
            found.append(place)
    assert found == mismatched
