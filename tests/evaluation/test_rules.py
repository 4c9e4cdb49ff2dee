from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tuneval.evaluation.items import Item
from tuneval.evaluation.metric import Unscored
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.rules import Rule, n_sentences, share_distinct


@pytest.mark.parametrize(
    ("rule", "answer", "holds"),
    [
        ({"one_of": ["Wednesday"]}, '"wednesday."', True),
        ({"one_of": ["Wednesday"]}, "It is Wednesday.", False),
        ({"one_of": ["慢"]}, "慢！", True),
        ({"opens": ["no"]}, "No, it does not.", True),
        ({"opens": ["no"]}, "Nothing says so.", False),
        ({"opens": ["不公平"]}, "“不公平”，因为……", True),
        ({"says": ["Oslo"]}, "She lives in oslo!", True),
        ({"says": ["art"]}, "The party starts.", False),
        ({"says": ["北京"]}, "答案是北京市。", True),
        ({"says": ["CO2"]}, "It is CO₂.", True),
        ({"says": [["cannot", "can't"], "sorry"]}, "Sorry, I can’t.", True),
        ({"says": [["cannot", "can't"], "sorry"]}, "I can't.", False),
        ({"never": ["tears"]}, "She left.", True),
        ({"never": ["tears"]}, "No tears.", False),
        ({"order": ["first", "second"]}, "First this, second that, first again.", True),
        ({"order": ["first", "second"]}, "The second, then the first.", False),
        ({"order": ["first", "second"]}, "The second.", False),
        ({"order": ["first", "second"]}, "In a second: first this, second that.", True),
        ({"order": ["a b", "b"]}, "a b", False),
        ({"number": 1250}, "That makes $1,250.00.", True),
        ({"number": 3}, "The answer is 4, not 3? No: the answer is 3", True),
        ({"number": -4}, "x = -4", True),
        ({"number": 4}, "none", False),
        ({"choice": "B"}, "B. The vote", True),
        ({"choice": "B"}, "答案：B", True),
        ({"choice": "A"}, "答案：B", False),
        ({"regex": "^- x$"}, "one\n- x\ntwo", True),
        ({"object": {"a": 1}}, '```json\n{"a": 1.0}\n```', True),
        ({"object": {"a": 1}}, '{"a": 1, "b": 2}', False),
        ({"object": {"a": 1}}, '{"a": "1"}', False),
        ({"object": {"a": 1}}, "a: 1", False),
        ({"words": [3, 3]}, "It's 4.5 metres", True),
        ({"words": [2, 2]}, "中文 two words", True),
        ({"words": [None, 2]}, "one two three", False),
        ({"han": [3, None]}, "abc 你好", False),
        ({"han": [2, 2]}, "abc 你好", True),
        ({"sentences": [2, 2]}, "Dr no. Yes!", True),
        ({"lines": [2, 2]}, "a\n\n \nb", True),
        ({"line_words": [2, None]}, "1. one two\n\n- three four five", True),
        ({"line_words": [2, None]}, "one two three four\n2. five", False),
        ({"line_words": [None, 1]}, "one two\nthree", False),
        ({"line_han": [2, 3]}, "1. 半页\n2. 慢读屋", True),
        ({"line_han": [2, 3]}, "半页半页\n慢读", False),
        ({"distinct_lines": 3}, "1. apple\n2. pear\n3. fig", True),
        ({"distinct_lines": 3}, "1. apple\n2. pear\n3. Apple.", False),
        ({"distinct_lines": 3}, "apple\npear", False),
        ({"distinct_openings": 2}, "- It rains.\n- We wait.", True),
        ({"distinct_openings": 2}, "- It rains.\n- It pours.", False),
        ({"distinct_openings": 2}, "天热。\n天冷。", False),
        ({"distinct_4grams": 0.9}, "one two three four five six seven", True),
        ({"distinct_4grams": 0.9}, "go on and on " * 9, False),
        ({"language": "en"}, "Mostly English, 你好", True),
        ({"language": "zh"}, "大部分是中文 ok", True),
        ({"language": "en"}, "42", False),
        ({"language": "zh"}, "42", False),
    ],
)
def test_each_check_holds_where_it_should(rule: dict[str, Any], answer: str, holds: bool) -> None:
    assert Rule(**rule).passes(answer) is holds


def test_all_checks_of_a_rule_must_hold_and_the_broken_ones_are_named() -> None:
    rule = Rule(says=("rain",), lines=(2, 2), never=("snow",))

    assert rule.passes("rain\nsun")
    assert rule.broken("snow") == ["says", "never", "lines"]


def test_an_empty_answer_keeps_no_rule() -> None:
    assert Rule(never=("x",)).broken(" \n") == ["empty"]
    assert Rule(never=("x",)).broken("<think>y</think>") == ["empty"]


def test_what_a_model_thinks_before_it_speaks_is_not_its_answer() -> None:
    rule = Rule(never=("Paris",), says=("Rome",))

    assert rule.passes("<think>Paris? No.</think>Rome")
    assert not rule.passes("Paris? No. Rome")
    assert Rule(says=("Rome",)).broken("<think>Rome, or") == ["empty"]


@pytest.mark.parametrize(
    "rule", [{}, {"regex": "("}, {"choice": "b"}, {"says": [""]}, {"words": [1]}, {"wrods": [1, 2]}]
)
def test_a_rule_that_checks_nothing_or_cannot_be_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Rule(**rule)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("One", 1),
        ("One. Two", 2),
        ("3.5 metres are enough.", 1),
        ("Wait... what?!", 2),
        ("他说：“好。”她走了。", 2),
        ("第一句！第二句？第三句", 3),
    ],
)
def test_sentences_are_counted_in_both_languages(text: str, count: int) -> None:
    assert n_sentences(text) == count


def test_the_share_of_distinct_runs_is_that_of_first_ones() -> None:
    # abcd bcda cdab dabc abcd: five runs, the last is the first again.
    assert share_distinct("abcdabcd") == 4 / 5
    assert share_distinct("abc") == 1.0


def item(predict: str | None, rule: dict[str, Any] | None, **more: Any) -> Item:
    fields = {} if rule is None else {"rule": rule}
    return Item("1", "x:1", None, more, "question", None, predict, fields=fields)


def test_the_metric_grades_by_the_rule_that_an_item_holds() -> None:
    metric = load_metric("rule_passed")
    rule = {"says": (("yes", "no"),), "words": (1, None)}

    assert metric.score(item("yes", rule)) == 1.0  # type: ignore[attr-defined]
    assert metric.score(item("perhaps", rule)) == 0.0  # type: ignore[attr-defined]


def test_an_item_without_a_rule_is_left_to_a_judge_and_one_without_answer_is_not_wrong() -> None:
    metric = load_metric("rule_passed")

    assert metric.missing(item("yes", None)) == "a judge or a person decides"
    assert metric.missing(item(None, {"says": ["yes"]})) == "not answered"


def test_the_share_of_one_capability_leaves_the_others_out() -> None:
    metric = load_metric("capability:ethics")
    items = [
        item("yes", {"says": ["yes"]}, capability="ethics"),
        item("no", {"says": ["yes"]}, capability="ethics"),
        item("no", {"says": ["yes"]}, capability="reasoning"),
    ]

    counted = [one for one in items if metric.missing(one) is None]
    estimate = metric.estimate(counted, clusters=None, seed=1)

    assert estimate is not None
    assert (estimate.value, estimate.n) == (0.5, 2)
    assert metric.about.name == "capability:ethics"


def test_a_judges_mark_is_read_from_the_item_and_a_missing_one_is_told() -> None:
    metric = load_metric("judge_score")
    marked = Item("1", "x:1", None, {}, "q", None, "a", fields={"judge_score": 7})

    assert metric.score(marked) == 7.0  # type: ignore[attr-defined]
    assert isinstance(metric.score(item("a", None)), Unscored)  # type: ignore[attr-defined]
