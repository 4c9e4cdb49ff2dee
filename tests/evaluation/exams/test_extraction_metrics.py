"""Scores by three readings of an answer, and the range between them."""

from __future__ import annotations

import pytest

from tuneval.evaluation.account import account_for
from tuneval.evaluation.grade import grade
from tuneval.evaluation.items import Chosen, Item


def item(name, label="A", group=None, **answer):
    return Item(id=name, source="", group=group, tags={}, prompt="", label=label, **answer)


def said(name, strict, lenient, official=..., label="A", **more):
    extracted = {"strict": strict, "lenient": lenient}
    if official is not ...:
        extracted["official"] = official
    return item(name, label, predict="…", extracted=extracted, **more)


def figure(items, metric):
    return account_for(grade(items, [metric]), metric, seed=1)


ITEMS = [
    said("all", "A", "A", "A"),
    said("lenient only", None, "A", None),
    said("official only", None, None, "A"),
    said("wrong", "B", "B", "B"),
]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("answer_strict", 1 / 4),
        ("answer_lenient", 2 / 4),
        ("answer_official", 2 / 4),
        ("unparsed", 1 / 4),
        ("answer_range", 2 / 4),
    ],
)
def test_what_no_reading_finds_is_wrong_and_counted(metric, expected):
    result = figure(ITEMS, metric)
    assert result.estimate.value == expected
    assert result.estimate.n == 4
    assert result.unscored == {}


def test_the_range_holds_every_reading_and_the_items_they_part_on():
    detail = figure(ITEMS, "answer_range").detail
    assert detail["range"] == [0.25, 0.5]
    assert detail["readings"] == {
        "strict": {"right": 0.25, "unparsed": 0.5},
        "lenient": {"right": 0.5, "unparsed": 0.25},
        "official": {"right": 0.5, "unparsed": 0.25},
    }
    assert (detail["n"], detail["n_disagree"]) == (4, 2)
    assert detail["disagree"] == ["lenient only", "official only"]


def test_without_an_official_reading_the_lenient_one_counts():
    items = [said("a", None, "A"), said("b", "A", "A"), said("c", None, None)]
    assert figure(items, "answer_range").estimate.value == pytest.approx(2 / 3)
    assert figure(items, "unparsed").estimate.value == pytest.approx(1 / 3)
    official = figure(items, "answer_official")
    assert official.estimate is None
    assert official.unscored == {"the extractor has no official reading": 3}


def test_an_official_script_may_compare_with_a_key_of_its_own():
    own = said("a", "(3,4]", "(3,4]", "4", label="(3,4]", fields={"official_key": "4"})
    assert figure([own], "answer_official").estimate.value == 1.0
    assert figure([own], "answer_strict").estimate.value == 1.0


def test_items_without_answer_key_or_extractor_do_not_count():
    items = [
        said("counts", "A", "A", "A"),
        item("unanswered", skipped={"generated": "too long"}),
        said("no key", "A", "A", "A", label=None),
        item("unread", predict="A"),
    ]
    reasons = {"too long": 1, "no reference answer": 1, "no extractor read this answer": 1}
    for metric in ("answer_official", "answer_strict", "answer_range"):
        result = figure(items, metric)
        assert result.unscored == reasons
        assert result.estimate.n == 1
    assert figure(items, "unparsed").estimate.n == 2


def test_a_likeliest_choice_counts_as_the_protocols_own_reading():
    right, wrong, unknown = (
        item(
            str(gold),
            chosen=Chosen(choices=(" A", " B"), logprobs=(-1.0, -2.0), n_tokens=(1, 1), gold=gold),
        )
        for gold in ((0,), (1,), ())
    )
    result = figure([right, wrong, unknown, said("b", None, None, "A")], "answer_official")
    assert (result.estimate.value, result.estimate.n) == (pytest.approx(2 / 3), 3)
    assert result.unscored == {"no reference answer": 1}
    assert figure([right, wrong], "answer_strict").estimate is None
    assert figure([right, wrong], "answer_range").estimate is None


def test_the_interval_knows_that_questions_share_a_passage():
    def interval(groups):
        items = [
            said(
                str(n), "A", "A", "A" if n % 8 < 4 else "B", group=f"p{n // 4}" if groups else None
            )
            for n in range(64)
        ]
        return figure(items, "answer_range").estimate

    alone, clustered = interval(False), interval(True)
    assert alone.value == clustered.value == 0.5
    assert clustered.high - clustered.low > 1.4 * (alone.high - alone.low)
