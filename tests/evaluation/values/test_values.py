from __future__ import annotations

import pytest
from answers import answer

from tuneval.evaluation.items import Chosen
from tuneval.evaluation.metric import Unscored
from tuneval.evaluation.values.probabilities import (
    choice_probabilities,
    class_probabilities,
    positive_class,
    positive_score,
    why_no_probability,
)
from tuneval.evaluation.values.read import (
    as_number,
    classes_of,
    label_sets_of,
    labels_of,
    numbers_of,
    plain_label,
    read_label,
    read_labels,
)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (" Positive. ", "positive"),
        ("“正面”。", "正面"),
        ("**Ｙｅｓ**", "yes"),
        ("New\n York", "new york"),
        ("C++", "c++"),
        ("-1", "-1"),
        ("...", "..."),
        ("", ""),
    ],
)
def test_a_class_has_one_plain_spelling(text: str, label: str) -> None:
    assert plain_label(text) == label


def test_with_known_classes_the_one_that_stands_in_the_text_is_read() -> None:
    classes = ["positive", "very positive", "negative"]
    assert read_label("I would say it is Very Positive!", classes) == "very positive"
    assert read_label("positive", classes) == "positive"
    assert read_label("positively", classes) is None
    assert read_label("positive or negative", classes) is None
    assert read_label("very positive, that is: positive", classes) is None
    assert read_label("这句话是正面的", ["正面", "负面"]) == "正面"
    assert read_label("anything else") == "anything else"
    assert read_label(" . ") is None


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ('["Late", "broken"]', {"late", "broken"}),
        ("late, broken；Lost", {"late", "broken", "lost"}),
        ("- late\n- broken\n", {"late", "broken"}),
        ("1. late\n2. broken", {"late", "broken"}),
        ("晚到、破损", {"晚到", "破损"}),
        ("late, late", {"late"}),
        ("None.", set()),
        ("无", set()),
        ("[]", set()),
        ("", set()),
    ],
)
def test_a_set_of_classes_is_read_from_lists_of_any_kind(text: str, labels: set[str]) -> None:
    assert read_labels(text) == labels


def test_with_known_classes_all_that_stand_in_the_text_are_read() -> None:
    assert read_labels("It is late and broken.", ["late", "broken", "lost"]) == {"late", "broken"}


def test_fields_go_before_texts() -> None:
    item = answer("7", "8", number=1, reference_number="2.5")
    assert numbers_of(item) == (1.0, 2.5)
    item = answer("a", "b", labels=["X"], reference_labels=["x", "Y"])
    assert label_sets_of(item) == ({"x"}, {"x", "y"})


def test_what_cannot_be_read_has_its_reason() -> None:
    assert numbers_of(answer("many", "8")) == Unscored("no number in the answer")
    assert numbers_of(answer("7", "many")) == Unscored("no number in the reference")
    assert numbers_of(answer("7")) == Unscored("no number in the reference")
    too_long = answer(label="8", skipped={"generated": "longer than the model takes"})
    assert numbers_of(too_long) == Unscored("longer than the model takes")
    assert labels_of(answer("yes")) == Unscored("no reference answer")
    assert labels_of(answer(label="yes")) == Unscored("not answered")
    assert labels_of(answer("!", "yes")) == (None, "yes")


def test_an_extractor_that_finds_nothing_is_an_answer_that_cannot_be_read() -> None:
    item = answer("Well, who knows", "A", extracted={"official": None, "lenient": "A"})
    assert labels_of(item) == (None, "a")


def test_a_text_is_one_class_unless_the_reference_is_a_list() -> None:
    assert label_sets_of(answer("a, b", "a, b"), split=False) == ({"a, b"}, {"a, b"})
    item = answer("b, a", reference_labels=["a", "b"])
    assert label_sets_of(item, split=False) == ({"a", "b"}, {"a", "b"})


def test_true_and_infinity_are_no_numbers() -> None:
    assert as_number(True) is None
    assert as_number(float("inf")) is None
    assert as_number(None) is None
    assert as_number(3) == 3.0


@pytest.mark.parametrize(
    ("labels", "positive"),
    [
        (["1", "1", "1", "0"], "1"),  # by its word, though it is the commoner
        (["yes", "no"], "yes"),
        (["yes", "yes", "unsure"], "yes"),
        (["no"], "yes"),
        (["阴性", "阳性"], "阳性"),
        (["ham", "spam", "spam"], "spam"),
        (["0", "fraud", "fraud"], "fraud"),
        (["ill", "well", "well"], "ill"),
        (["a", "b"], "b"),
        (["a", "b", "c"], None),
        ([], None),
    ],
)
def test_the_positive_class_is_told_by_its_word_or_by_being_rare(
    labels: list[str], positive: str | None
) -> None:
    assert positive_class(labels) == positive
    assert positive_class(labels, "Named ") == "named"


def test_probabilities_come_from_fields_or_from_the_choices() -> None:
    chosen = Chosen((" yes", " no"), (-1.0, -2.0), (1, 1), (0,))
    p_yes = 1 / (1 + 2.718281828459045**-1)
    assert choice_probabilities(chosen) == pytest.approx((p_yes, 1 - p_yes))
    assert class_probabilities(answer(chosen=chosen))["yes"] == pytest.approx(p_yes)
    assert positive_score(answer(chosen=chosen, probability=0.9), "no") == 0.9
    assert positive_score(answer(probabilities={"Yes": 0.2, "no": 0.8}), "yes") == 0.2
    assert positive_score(answer("yes"), "yes") is None


def test_likelihoods_far_below_what_exp_can_hold_still_give_probabilities() -> None:
    chosen = Chosen(("a", "b"), (-5000.0, -5000.0), (9, 9), (0,))
    assert choice_probabilities(chosen) == (0.5, 0.5)


def test_a_probability_outside_0_and_1_is_none() -> None:
    assert why_no_probability(answer(probability=0.5)) is None
    assert why_no_probability(answer(probability=1.5)) == "a probability is not between 0 and 1"
    assert why_no_probability(answer(probabilities={"a": -0.1, "b": 1.1})) is not None
    assert why_no_probability(answer(probabilities={"a": "much"})) == "no probability"
    assert why_no_probability(answer("a")) == "no probability"


def test_a_class_may_be_a_sign() -> None:
    assert labels_of(answer("! ", "!")) == ("!", "!")
    assert labels_of(answer("?", "!")) == ("?", "!")
    assert labels_of(answer("***", "*****")) == ("***", "*****")
    assert labels_of(answer("", "!")) == (None, "!")
    assert read_label("?", ["!", "?"]) == "?"


def test_a_field_of_classes_may_be_one_of_them_or_a_table() -> None:
    item = answer(labels=3, reference_labels="3")
    assert label_sets_of(item) == ({"3"}, {"3"})
    item = answer(
        labels={"late": True, "lost": False}, reference_labels={"late": 1, "lost": 0, "new": 1}
    )
    assert label_sets_of(item) == ({"late"}, {"late", "new"})
    assert label_sets_of(answer(labels=[None, "a"], reference_labels=["a"])) == ({"a"}, {"a"})
    assert classes_of(answer(classes="late|lost")) == ["late", "lost"]
    assert classes_of(answer(classes=3)) == ["3"]
    assert classes_of(answer()) == []


def test_a_class_that_stands_very_often_is_read_at_once() -> None:
    assert read_labels("late " * 100_000, ["late", "lost"]) == {"late"}


def test_a_whole_number_that_no_float_holds_is_none() -> None:
    assert as_number(10**400) is None


def test_probabilities_of_one_class_in_two_spellings_are_summed() -> None:
    given = class_probabilities(answer(probabilities={"Yes": 0.2, "yes": 0.3, "no": 0.5}))
    assert given == {"yes": 0.5, "no": 0.5}


def test_probabilities_that_sum_to_more_than_1_are_none() -> None:
    assert why_no_probability(answer(probabilities={"a": 0.34, "b": 0.34, "c": 0.33})) is None
    reason = why_no_probability(answer(probabilities={"a": 0.9, "b": 0.9}))
    assert reason == "the probabilities sum to more than 1"
