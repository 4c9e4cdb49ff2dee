from __future__ import annotations

import numpy as np
import pytest
from answers import answer, difference, result, value
from sklearn.metrics import roc_auc_score, roc_curve

from tuneval.evaluation.items import Chosen


def scored(scores, labels) -> list:
    return [answer(label=t, probability=float(s)) for s, t in zip(scores, labels, strict=True)]


def sample(n: int = 60, seed: int = 3, strength: float = 1.0):
    random = np.random.default_rng(seed)
    labels = np.where(random.random(n) < 0.3, "yes", "no")
    return random.normal(size=n) + strength * (labels == "yes"), labels


def test_the_area_equals_scikit_learn_and_the_detail_has_its_curve() -> None:
    scores, labels = sample()
    scores = np.round(scores, 1)  # some ties
    found = result("roc_auc", scored(scores, labels))
    assert found.estimate.value == pytest.approx(roc_auc_score(labels == "yes", scores))
    assert (found.detail["positive"], found.detail["n_positive"]) == (
        "yes",
        (labels == "yes").sum(),
    )
    false, true, thresholds = roc_curve(labels == "yes", scores, drop_intermediate=False)
    points = np.array(found.detail["points"])
    every_point = np.column_stack([thresholds, false, true]).tolist()
    assert all(point in every_point for point in points.tolist())
    assert len(points) < len(every_point) - 1
    # Only points on a straight line are left out: the area under those kept is the same.
    x, y = np.concatenate([[[0.0, 0.0]], points[:, 1:]]).T
    assert np.trapezoid(y, x) == pytest.approx(found.estimate.value)


def test_the_positive_class_may_be_named() -> None:
    scores, labels = sample()
    area = value("roc_auc", scored(scores, labels))
    assert value("roc_auc:no", scored(-scores, labels)) == pytest.approx(area)
    assert result("roc_auc:no", scored(scores, labels)).detail["positive"] == "no"


def test_choices_give_the_score_of_their_class() -> None:
    logprobs = [(-1.0, -2.0, 0), (-2.0, -1.0, 1), (-1.0, -1.5, 1), (-3.0, -1.0, 1)]
    items = [
        answer(chosen=Chosen((" yes", " no"), (yes, no), (1, 1), (gold,)))
        for yes, no, gold in logprobs
    ]
    assert value("roc_auc", items) == 1.0


def test_of_several_classes_the_areas_against_the_rest_are_averaged() -> None:
    random = np.random.default_rng(5)
    labels = random.choice(list("abc"), 80)
    given = random.dirichlet(np.ones(3), 80)
    given[np.arange(80), np.searchsorted(list("abc"), labels)] += 0.3
    given /= given.sum(axis=1, keepdims=True)
    items = [
        answer(label=t, probabilities=dict(zip("abc", map(float, p), strict=True)))
        for p, t in zip(given, labels, strict=True)
    ]
    expected = roc_auc_score(labels, given, multi_class="ovr")
    found = result("roc_auc", items)
    assert found.estimate.value == pytest.approx(expected)
    assert found.estimate.low < expected < found.estimate.high
    assert np.mean(list(found.detail["classes"].values())) == pytest.approx(expected)
    no_change = difference("roc_auc", items, items)
    assert (no_change.difference.value, no_change.p_value) == (0.0, 1.0)


def test_without_both_classes_there_is_no_area() -> None:
    for labels in (["yes", "yes"], ["no"]):
        found = result("roc_auc", scored([0.1] * len(labels), labels))
        assert found.estimate is None
        assert found.detail["points"] == []
    items = scored([0.1, 0.2], ["no", "no"])
    assert difference("roc_auc", items, items) is None


def test_one_probability_does_not_tell_three_classes_apart() -> None:
    items = scored([0.1, 0.2, 0.3], "abc")
    assert result("roc_auc", items).estimate is None
    assert difference("roc_auc", items, items) is None


def test_a_perfect_order_has_an_interval_below_1_and_a_reverse_one_above_0() -> None:
    labels = ["no"] * 10 + ["yes"] * 10
    perfect = result("roc_auc", scored(range(20), labels)).estimate
    reverse = result("roc_auc", scored(range(20, 0, -1), labels)).estimate
    assert (perfect.value, perfect.high, reverse.value, reverse.low) == (1.0, 1.0, 0.0, 0.0)
    assert 0.8 < perfect.low < 1.0
    assert reverse.high == pytest.approx(1 - perfect.low)


def test_items_without_a_score_are_counted() -> None:
    items = [*scored([0.1, 0.9], ["no", "yes"]), answer("yes", "yes"), answer(probability=0.5)]
    found = result("roc_auc", items)
    assert found.unscored == {"no probability": 1, "no reference answer": 1}
    assert found.estimate.n == 2


def test_two_systems_are_compared_on_the_same_items() -> None:
    scores, labels = sample(200)
    found = difference("roc_auc", scored(-scores, labels), scored(scores, labels))
    assert found.difference.low > 0
    assert found.test == "DeLong"
