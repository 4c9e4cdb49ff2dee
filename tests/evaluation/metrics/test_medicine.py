from __future__ import annotations

import pytest
from answers import answer, answers, difference, result, value

from tuneval.evaluation.metrics import load_metric
from tuneval.statistics.proportion import wilson


def screening() -> list:
    """The worked example of the encyclopaedia's article "Sensitivity and specificity".

    2,030 people, 30 of them ill, 20 of these found; 180 false alarms.
    """
    said = ["yes"] * 20 + ["no"] * 10 + ["yes"] * 180 + ["no"] * 1820
    return answers(said, ["yes"] * 30 + ["no"] * 2000)


def test_the_worked_example_of_a_screening() -> None:
    sensitivity = result("sensitivity", screening()).estimate
    specificity = result("specificity", screening()).estimate
    assert (sensitivity.value, sensitivity.n) == (pytest.approx(0.667, abs=5e-4), 30)
    assert (specificity.value, specificity.n) == (0.91, 2000)
    # Only the side's own items count in the interval.
    assert (sensitivity.low, sensitivity.high) == (wilson(20, 30).low, wilson(20, 30).high)
    assert result("sensitivity", screening()).detail == {"positive": "yes"}


def test_the_sides_change_with_the_positive_class() -> None:
    assert value("sensitivity:no", screening()) == value("specificity", screening())
    assert value("specificity:no", screening()) == value("sensitivity:yes", screening())


def test_an_answer_that_cannot_be_read_is_wrong_on_either_side() -> None:
    items = answers(["!", "yes", "!", "no"], ["yes", "yes", "no", "no"])
    assert value("sensitivity", items) == 0.5
    assert value("specificity", items) == 0.5


def test_without_an_answer_the_probability_decides() -> None:
    given = [(0.5, "yes"), (0.49, "yes"), (0.1, "no"), (0.9, "no"), (0.2, "no")]
    items = [answer(label=label, probability=p) for p, label in given]
    assert value("sensitivity", items) == 0.5
    assert value("specificity", items) == pytest.approx(2 / 3)
    assert value("auc", items) == pytest.approx(4 / 6)


def test_without_an_item_of_the_side_there_is_no_figure() -> None:
    items = answers(["no", "no"], ["no", "no"])
    assert result("sensitivity", items).estimate is None
    assert value("specificity", items) == 1.0
    assert difference("sensitivity", items, items) is None


def test_of_three_classes_none_is_positive_unless_named() -> None:
    items = answers("abca", "abbc")
    assert result("sensitivity", items).estimate is None
    assert difference("specificity", items, items) is None
    assert value("sensitivity:b", items) == 0.5


def test_clusters_count_where_the_side_has_any() -> None:
    items = [answer("yes", "yes", group="one") for _ in range(3)]
    items += [answer("no", "yes", group=f"{n}") for n in range(3)]
    items += [answer("no", "no", group=f"{n}") for n in range(3)]
    assert result("sensitivity", items).estimate.n_clusters == 4
    assert result("specificity", items).estimate.method == "Wilson"


def test_systems_are_compared_on_the_side_alone() -> None:
    a = answers(["no"] * 12 + ["yes"] * 5, ["yes"] * 12 + ["no"] * 5)
    b = answers(["yes"] * 12 + ["no"] * 5, ["yes"] * 12 + ["no"] * 5)
    found = difference("sensitivity", a, b)
    assert (found.difference.value, found.difference.n, found.n_higher) == (1.0, 12, 12)
    assert found.test == "McNemar exact"


def test_items_without_answer_or_reference_are_counted() -> None:
    items = [*screening(), answer(label="yes"), answer("yes")]
    unscored = result("sensitivity", items).unscored
    assert unscored == {"not answered": 1, "no reference answer": 1}
    assert load_metric("auc").missing(answer("yes", "yes")) == "no probability"


def test_an_answer_that_is_none_of_the_classes_is_no_right_negative() -> None:
    items = answers(["I cannot tell, see a doctor", "no", "yes"], ["no", "no", "yes"])
    assert value("specificity", items) == 0.5
    assert value("sensitivity", items) == 1.0


@pytest.mark.parametrize("metric", ["specificity", "sensitivity"])
def test_a_class_that_stands_nowhere_has_no_figure_and_is_told(metric: str) -> None:
    items = answers(["malignant", "benign"] * 5, ["malignant", "benign"] * 5)
    found = result(f"{metric}:malignent", items)
    assert found.estimate is None
    assert found.unscored == {"no item has the class 'malignent'; did you mean 'malignant'?": 10}
    assert difference(f"{metric}:malignent", items, items) is None
    (reason,) = result(f"combined:metric['{metric}:zzz']", items).unscored
    assert reason == f"{metric}:zzz: no item has the class 'zzz'; known: benign, malignant"


@pytest.mark.parametrize("metric", ["auc:ill", "roc_auc:ill", "brier:ill"])
def test_a_probability_of_a_class_that_stands_nowhere_is_no_figure(metric: str) -> None:
    items = [answer(label=label, probability=0.4) for label in ("sick", "well")]
    found = result(metric, items)
    assert found.estimate is None
    assert list(found.unscored.values()) == [2]
    assert "'ill'" in next(iter(found.unscored))


def test_a_named_class_may_have_no_item_where_it_is_known() -> None:
    healthy = answers(["no", "no"], ["no", "no"])
    assert value("specificity:yes", healthy) == 1.0
    offered = [answer("mild", "none", classes=["none", "mild", "severe"]) for _ in range(3)]
    assert value("specificity:severe", offered) == 1.0
    assert value("specificity:mild", answers(["mild", "none"], ["none", "none"])) == 0.5
