from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "response",
    [
        "...",
        "。",
        "—",
        "N/A",
        "n/a.",
        "None",
        "null",
        "无",
        "暂无。",
        "OK",
        "好的。",
        "<nooutput>",
        "略",
    ],
)
def test_an_answer_that_says_nothing_is_a_warning(look_at_answer, response: str) -> None:
    assert look_at_answer("near_empty", "Explain how a plane flies.", response) == [
        "near_empty.response"
    ]


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("Which one is it: A, B, C or D?", "B"),
        ("2+2=?", "4"),
        ("Is it true?", "No"),
        ("对吗？", "对"),
        ("Positive or negative?", "positive"),
        ("As JSON, please.", '{"a": 1}'),
        ("Write it with an emoji.", "🌊"),
        ("Which sign belongs there: 3 _ 5?", "="),
        ("List the faults, or say none.", "None"),
        ("提取电话号码，没有则回答“无”。", "无"),
        ("Explain how a plane flies.", "By lift."),
    ],
)
def test_labels_and_short_answers_pass(look_at_answer, prompt: str, response: str) -> None:
    assert look_at_answer("near_empty", prompt, response) == []


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("Write an essay about the sea.", "The sea is deep."),
        ("Explain it in at least 200 words.", "It flies because air lifts it up, as we know."),
        ("Write a 500-word article on tea.", "Tea is a drink that many people like very much."),
        ("写一篇关于大海的文章。", "大海很深。"),
        ("请用不少于500字介绍北京。", "北京是中国的首都，历史悠久，文化灿烂，值得一游。"),
        ("写一个800字以上的故事", "从前有座山，山里有座庙，庙里有个老和尚。"),
    ],
)
def test_far_less_than_asked_for_is_a_warning(look_at_answer, prompt: str, response: str) -> None:
    assert look_at_answer("near_empty", prompt, response) == ["near_empty.too_short"]


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("Write a title for an essay about the sea.", "The Deep"),
        ("Write an essay title.", "The Deep"),
        ("Write a letter of the alphabet.", "A letter is: Q, as in Queen, and no other one"),
        ("Say it in at most 200 words.", "Air lifts it."),
        ("写一篇文章的标题。", "大海"),
        ("用不超过500字介绍北京。", "北京是中国的首都。"),
        ("用20字左右介绍北京。", "北京是中国首都。"),
        ("Explain it in at least 20 words.", "Air flows faster above the wing, so it lifts."),
    ],
)
def test_titles_and_upper_bounds_pass(look_at_answer, prompt: str, response: str) -> None:
    assert look_at_answer("near_empty", prompt, response) == []
