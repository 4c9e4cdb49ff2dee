from __future__ import annotations

from collections.abc import Sequence

import pytest
from answers import answer, answers, difference, result, value
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from sklearn.preprocessing import MultiLabelBinarizer

from tuneval.evaluation.items import Chosen
from tuneval.evaluation.metrics import METRICS, load_metric

CLASSES = "abcd"
PAIRS = st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=1)
AVERAGES = ["micro", "macro", "weighted"]
FIGURES = ["precision", "recall", "f1"]


def of_sklearn(said: Sequence[object], true: Sequence[object], average: str, labels=None):
    found = precision_recall_fscore_support(
        true, said, average=average, labels=labels, zero_division=0
    )
    return dict(zip(FIGURES, found, strict=False))


@pytest.mark.parametrize("average", AVERAGES)
@given(PAIRS)
def test_the_averages_equal_scikit_learn(average: str, pairs: list[tuple[str, str]]) -> None:
    said, true = zip(*pairs, strict=True)
    # A micro or weighted average over all labels is unmoved by those that nobody expects.
    labels = sorted(set(true)) if average == "macro" else None
    expected = of_sklearn(said, true, average, labels)
    for figure in FIGURES:
        metric = load_metric(f"{figure}_{average}")
        counts = metric.columns(answers(said, true))
        assert metric.statistic(counts.sum(axis=0)) == pytest.approx(expected[figure])


@pytest.mark.parametrize("average", AVERAGES)
@given(st.lists(st.tuples(*[st.sets(st.sampled_from("abc"))] * 2), min_size=2, max_size=12))
def test_sets_of_classes_are_counted_as_by_scikit_learn(average: str, pairs) -> None:
    # All classes are expected somewhere, so that both average over the same.
    pairs = [*pairs, (set("a"), set("abc"))]
    said, true = ([sorted(side) for side in sides] for sides in zip(*pairs, strict=True))
    binary = MultiLabelBinarizer(classes=list("abc")).fit(true)
    expected = of_sklearn(binary.transform(said), binary.transform(true), average)
    items = [answer(labels=s, reference_labels=t) for s, t in zip(said, true, strict=True)]
    for figure in FIGURES:
        metric = load_metric(f"{figure}_{average}")
        found = metric.statistic(metric.columns(items).sum(axis=0))
        assert found == pytest.approx(expected[figure])


def test_accuracy_is_without_regard_to_case_and_punctuation_around() -> None:
    items = answers(["Yes.", "no", "“是”", "maybe", ""], ["yes", "yes", "是", "no", "no"])
    estimate = result("accuracy", items).estimate
    assert (estimate.value, estimate.n, estimate.method) == (2 / 5, 5, "Wilson")


def test_accuracy_of_a_multiple_choice_takes_any_right_choice() -> None:
    chosen = Chosen((" A", " B", " C"), (-3.0, -1.0, -2.0), (1, 1, 1), (0, 1))
    assert value("accuracy", [answer(label="A B", chosen=chosen)]) == 1.0


def test_an_answer_that_cannot_be_read_costs_recall_but_not_precision() -> None:
    items = answers(["a", "b", "..."], ["a", "b", "b"])
    assert value("accuracy", items) == pytest.approx(2 / 3)
    assert value("precision_micro", items) == 1.0
    assert value("recall_micro", items) == pytest.approx(2 / 3)
    assert value("f1_micro", items) == pytest.approx(4 / 5)


def test_an_invented_class_is_a_wrong_answer_but_no_class_to_average_over() -> None:
    items = answers(["a", "b", "zebra"], ["a", "b", "b"])
    assert value("precision_micro", items) == pytest.approx(2 / 3)
    assert value("f1_macro", items) == pytest.approx((1 + 2 / 3) / 2)


def test_items_without_answer_or_reference_are_counted_not_zeroed() -> None:
    items = [*answers(["a"], ["a"]), answer(label="a"), answer("a")]
    for metric in ("accuracy", "f1_macro", "confusion_matrix"):
        found = result(metric, items)
        assert found.unscored == {"not answered": 1, "no reference answer": 1}
    assert value("f1_macro", items) == 1.0


def test_all_right_is_1_and_nothing_right_is_0() -> None:
    right, wrong = answers("abca", "abca"), answers("bcab", "abca")
    names = [f"{figure}_{average}" for figure in FIGURES for average in AVERAGES]
    for metric in ["accuracy", *names]:
        assert value(metric, right) == pytest.approx(1.0)
        assert value(metric, wrong) == 0.0
        assert value(metric, right[:1]) == pytest.approx(1.0)


@given(PAIRS)
def test_the_confusion_matrix_equals_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    said, true = zip(*pairs, strict=True)
    detail = load_metric("confusion_matrix").detail(answers(said, true))
    classes = sorted(set(true))
    assert detail["classes"] == classes
    known = [row[: len(classes)] for row in detail["counts"]]
    expected = confusion_matrix(true, said, labels=list(CLASSES))
    places = [CLASSES.index(label) for label in classes]
    assert known == expected[places][:, places].tolist()
    assert sum(map(sum, detail["counts"])) == len(pairs)


def test_the_confusion_matrix_keeps_spellings_and_has_a_column_for_what_is_no_class() -> None:
    items = answers(["yes", "NO", "perhaps", "!"], ["Yes", "Yes", "No", "No"])
    found = result("confusion_matrix", items)
    assert found.estimate is None
    assert found.detail == {
        "classes": ["No", "Yes"],
        "columns": ["No", "Yes", "(another)", "(nothing read)"],
        "counts": [[0, 0, 1, 1], [1, 1, 0, 0]],
    }
    assert difference("confusion_matrix", items, items) is None


def test_the_detail_of_an_f1_has_every_class_the_commonest_first() -> None:
    detail = result("f1_macro", answers("aabb", "abbb")).detail
    assert list(detail["classes"]) == ["b", "a"]
    b = detail["classes"]["b"]
    assert (b["precision"], b["recall"], b["n"]) == (1.0, pytest.approx(2 / 3), 3)
    assert b["f1"] == pytest.approx(0.8)


def test_a_better_system_has_a_difference_above_0() -> None:
    true = list("abcabcabcabcabcabcabcabc")
    worse = ["a" if n % 2 else label for n, label in enumerate(true)]
    found = difference("f1_macro", answers(worse, true), answers(true, true))
    assert found.difference.low > 0
    assert found.p_value < 0.05
    assert found.n_lower == 0


def test_every_row_says_what_it_needs_and_loads() -> None:
    rows = [name for name in METRICS if "classification:" in METRICS[name]]
    assert len(rows) == 11
    for name in rows:
        about = load_metric(name).about
        assert about.name == name
        assert about.needs == ("label",)


@pytest.mark.parametrize("given", ["late", 3, ["late"], {"late": 1}])
def test_the_detail_holds_classes_of_any_form_of_the_field(given: object) -> None:
    found = result("f1_macro", [answer(labels=given, reference_labels=given)])
    assert found.detail is not None
    assert list(found.detail["classes"]) == ["3" if given == 3 else "late"]
