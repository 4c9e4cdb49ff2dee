from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from answers import answer, difference, result, value

from tuneval.data.personal_data.patterns import KINDS
from tuneval.errors import UsageError
from tuneval.evaluation.items import Item
from tuneval.evaluation.metrics import load_metric, names_in, patterns
from tuneval.evaluation.metrics.patterns import NAMED
from tuneval.evaluation.metrics.search import search_all


def spoken(*texts: str | None) -> list[Item]:
    return [answer(text) for text in texts]


def test_a_pattern_is_searched_anywhere_and_its_absence_is_the_other_share() -> None:
    items = spoken("due 2024-05-06.", "due soon", "2024-5-6", None)
    pattern = r"\d{4}-\d{2}-\d{2}"
    found = result(f"regex_present:{pattern}", items)
    assert (found.estimate.value, found.estimate.method) == (1 / 3, "Wilson")
    assert found.unscored == {"not answered": 1}
    assert value(f"regex_absent:{pattern}", items) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("name", "text", "holds"),
    [
        ("phone_number", "call 13912345678", True),
        ("phone_number", "call 11112345678", False),
        ("phone_number", "card 4532 0151 1283 0366", False),
        ("card_number", "card 4532 0151 1283 0366", True),
        ("card_number", "card 4532 0151 1283 0367", False),
        ("email", "write to anna@posteo.de", True),
        ("email", "write to anna@example.com", False),
        ("resident_id", "11010519491231002X", True),
        ("resident_id", "110105194912310021", False),
    ],
)
def test_a_named_piece_is_one_that_can_be_somebodys(name: str, text: str, holds: bool) -> None:
    assert value(f"regex_present:{name}", spoken(text)) == float(holds)
    assert value(f"regex_absent:{name}", spoken(text)) == float(not holds)


def test_every_kind_of_personal_data_has_a_name_here() -> None:
    assert set(NAMED.values()) == set(KINDS)


def test_a_pattern_may_hold_colons_and_commas() -> None:
    assert value("regex_present:time: [0-9]{1,2}:00", spoken("time: 12:00")) == 1.0
    assert names_in("regex_present:a{2,3},exact_match, token_f1,") == [
        "regex_present:a{2,3}",
        "exact_match",
        "token_f1",
    ]
    assert names_in("exact_mach,token_f1") == ["exact_mach", "token_f1"]


@pytest.mark.parametrize("pattern", ["(", "[a", "*", "(?P<x>a)(?P<x>b)", "a{2,1}"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match="is not a pattern") as caught:
        load_metric(f"regex_absent:{pattern}")
    assert "phone_number" in caught.value.mend


def test_two_systems_are_compared_item_by_item() -> None:
    paired = difference(
        "regex_absent:bad", spoken("bad", "bad", "good"), spoken("good", "bad", "good")
    )
    assert (paired.n_higher, paired.n_lower, paired.test) == (1, 0, "McNemar exact")


def test_answers_on_which_a_pattern_takes_too_long_hold_up_no_others() -> None:
    slow = "a" * 40 + "!"
    found = search_all("(a+)+$", ["aaa", slow, "b", "ba"], seconds=1.0)
    assert found == [True, None, False, True]
    assert search_all("(a+)+$", [slow] * 5, seconds=0.1) == [None] * 5


def test_a_slow_pattern_leaves_its_answers_unscored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "search_all", partial(search_all, seconds=1.0))
    items = spoken("aaa", None, "a" * 40 + "!")
    found = result("regex_present:(a+)+$", items)
    assert found.estimate.value == 1.0
    assert found.unscored == {"not answered": 1, patterns.TOO_SLOW: 1}


SLOW = "regex_present:(a+)+$"


@pytest.mark.parametrize(
    "metric",
    [
        f"worst_case:{SLOW}",
        f"robustness_drop:{SLOW}",
        f'item_expression:metric["{SLOW}"] * 1',
        f'worst_case:item_expression:metric["{SLOW}"]',
        f'combined:metric["{SLOW}"]',
        f'expression:1 - metric["{SLOW}"]',
    ],
)
def test_a_slow_pattern_is_stopped_wherever_it_is_named(
    metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns, "search_all", partial(search_all, seconds=1.0))
    patterns._search_one.cache_clear()
    items = [
        replace(answer(text, **fields), id=name)
        for name, text, fields in (
            ("1", "aaa", {"n_perturbed": 1}),
            ("1~typos", "aab", {"perturbation": "typos", "original": "1"}),
            ("2", "a" * 40 + "!", {"n_perturbed": 1}),
            ("2~typos", "aaa", {"perturbation": "typos", "original": "2"}),
        )
    ]
    graded = result(metric, items)
    assert graded.estimate is not None
    assert [n for why, n in graded.unscored.items() if patterns.TOO_SLOW in why] == [1]
    measure = load_metric(metric)
    assert patterns.TOO_SLOW in (measure.missing(items[2]) or ""), "ungraded items too"


def test_any_text_is_searched_as_it_is() -> None:
    texts = ["two\nlines", "\ud83d half", "好", ""]
    assert search_all("^(two\nlines|\ud83d half|好|)$", texts) == [True] * 4
    assert search_all("x", texts) == [False] * 4
    assert search_all("x", []) == []
