from __future__ import annotations

import pytest
from answers import answer, difference, result, value
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import hamming_loss, jaccard_score
from sklearn.preprocessing import MultiLabelBinarizer

SETS = st.sets(st.sampled_from("abcd"))
PAIRS = st.lists(st.tuples(SETS, SETS), min_size=1, max_size=20)


def labelled(pairs) -> list:
    return [answer(labels=sorted(s), reference_labels=sorted(t)) for s, t in pairs]


@settings(max_examples=25)
@given(PAIRS)
def test_both_equal_scikit_learn(pairs) -> None:
    pairs = [*pairs, (set(), set("abcd"))]  # every class is expected somewhere
    said, true = zip(*pairs, strict=True)
    binary = MultiLabelBinarizer(classes=list("abcd")).fit(true)
    said, true = binary.transform(said), binary.transform(true)
    items = labelled(pairs)
    assert value("hamming_loss", items) == pytest.approx(hamming_loss(true, said))
    expected = jaccard_score(true, said, average="samples", zero_division=1.0)
    assert value("jaccard", items) == pytest.approx(expected)


def test_two_empty_sets_are_right() -> None:
    items = [answer("none", reference_labels=[]), answer("a", reference_labels=["a"])]
    assert value("jaccard", items) == 1.0
    assert value("hamming_loss", items) == 0.0


def test_an_invented_label_is_a_wrong_decision_but_no_item_loses_more_than_all() -> None:
    items = labelled([(set("az"), set("a")), (set("b"), set("b"))])
    assert value("hamming_loss", items) == pytest.approx(1 / 4)
    items = labelled([(set("vwxyz"), set("a")), (set("b"), set("b"))])
    assert value("hamming_loss", items) == pytest.approx(2 / 4)


def test_the_field_classes_says_how_many_decisions_there_are() -> None:
    items = [answer("late", reference_labels=["late", "lost"], classes=["late", "lost", "x", "y"])]
    assert value("hamming_loss", items) == pytest.approx(1 / 4)


def test_without_any_label_there_is_no_decision() -> None:
    assert result("hamming_loss", labelled([(set("a"), set())])).estimate is None
    assert value("jaccard", labelled([(set("a"), set())])) == 0.0


def test_texts_are_read_and_missing_ones_counted() -> None:
    items = [answer("late; broken", "broken, late"), answer(label="late"), answer("late")]
    for metric, perfect in (("hamming_loss", 0.0), ("jaccard", 1.0)):
        found = result(metric, items)
        assert found.estimate.value == perfect
        assert found.unscored == {"not answered": 1, "no reference answer": 1}


def test_a_better_system_loses_less() -> None:
    true = [set("ab"), set("c"), set("d"), set("abc")] * 6
    worse = labelled([(set("ad"), t) for t in true])
    better = labelled([(t, t) for t in true])
    assert difference("hamming_loss", worse, better).difference.high < 0
    assert difference("jaccard", worse, better).difference.low > 0


def test_classes_in_one_text_are_as_many_decisions() -> None:
    items = [answer("late", reference_labels=["late", "lost"], classes="late|lost|new|broken")]
    assert value("hamming_loss", items) == 1 / 4
