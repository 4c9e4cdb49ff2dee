from __future__ import annotations

import numpy as np
import pytest
from answers import answer, difference, result, value
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from tuneval.errors import UsageError
from tuneval.evaluation.items import Chosen
from tuneval.evaluation.metrics import load_metric

SURE = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=40)


def forecasts(probabilities, truths) -> list:
    return [
        answer(label="yes" if true else "no", probability=float(p))
        for p, true in zip(probabilities, truths, strict=True)
    ]


@settings(max_examples=30)
@given(SURE, st.sampled_from([1, 5, 10]))
def test_the_calibration_error_is_the_mean_gap_of_the_bins(pairs, n_bins: int) -> None:
    sure = [(step / 20, right) for step, right in pairs]
    expected = 0.0
    for place in range(n_bins):
        # Open below, closed above; 0 belongs to the first.
        members = [
            (c, r)
            for c, r in sure
            if place / n_bins < c <= (place + 1) / n_bins or (place == 0 and c == 0)
        ]
        if members:
            gap = np.mean([c for c, _ in members]) - np.mean([r for _, r in members])
            expected += abs(gap) * len(members) / len(sure)
    items = [answer("a" if right else "b", "a", confidence=c) for c, right in sure]
    assert value(f"ece:{n_bins}", items) == pytest.approx(expected)


def test_the_detail_holds_the_reliability_of_every_bin() -> None:
    items = [answer("a", "a", confidence=0.95) for _ in range(3)]
    items += [answer("b", "a", confidence=0.85), answer("b", "a", confidence=0.95)]
    bins = result("ece", items).detail["bins"]
    assert [(b["from"], b["to"], b["n"], b["right"]) for b in bins] == [
        (0.8, 0.9, 1, 0.0),
        (0.9, 1.0, 4, 0.75),
    ]
    assert bins[1]["confidence"] == pytest.approx(0.95)
    assert bins[1]["right_low"] < 0.75 < bins[1]["right_high"]
    assert value("ece", items) == pytest.approx((0.85 + 4 * 0.2) / 5)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30))
def test_the_brier_score_of_two_classes_equals_scikit_learn(pairs) -> None:
    probabilities, truths = zip(*pairs, strict=True)
    expected = brier_score_loss(truths, probabilities, labels=[False, True])
    assert value("brier", forecasts(probabilities, truths)) == pytest.approx(expected)


def test_the_brier_score_of_several_classes_is_halved() -> None:
    random = np.random.default_rng(1)
    given_ = random.dirichlet(np.ones(3), 20)
    labels = random.choice(list("abc"), 20)
    items = [
        answer(label=t, probabilities=dict(zip("abc", map(float, p), strict=True)))
        for p, t in zip(given_, labels, strict=True)
    ]
    expected = brier_score_loss(labels, given_, labels=list("abc"), scale_by_half=True)
    assert value("brier", items) == pytest.approx(expected)


def test_two_classes_have_one_brier_score_however_they_are_given() -> None:
    by_class = [answer(label="no", probabilities={"yes": 0.7, "no": 0.3})]
    log = np.log
    chosen = Chosen((" yes", " no"), (log(0.7), log(0.3)), (1, 1), (1,))
    for items in (by_class, [answer(chosen=chosen)], forecasts([0.7], [False])):
        assert value("brier", items) == pytest.approx(0.49)
        assert value("ece", items) == pytest.approx(0.7)


def test_a_choice_with_several_right_ones_is_as_sure_as_their_sum() -> None:
    chosen = Chosen(("A", "B", "C"), tuple(np.log([0.5, 0.3, 0.2])), (1, 1, 1), (0, 1))
    assert value("brier", [answer(chosen=chosen)]) == pytest.approx((0.2**2 + 0.2**2) / 2)


def test_perfect_forecasts_score_0_and_the_worst_1() -> None:
    truths = [True, False, True]
    for metric in ("brier", "ece"):
        assert value(metric, forecasts(truths, truths)) == 0.0
        assert value(metric, forecasts([not t for t in truths], truths)) == 1.0


def test_the_positive_class_may_be_named() -> None:
    items = [answer(label="b", probability=0.9), answer(label="a", probability=0.2)]
    assert value("brier", items) == pytest.approx((0.1**2 + 0.2**2) / 2)
    assert value("brier:a", items) == pytest.approx((0.9**2 + 0.8**2) / 2)


def test_one_probability_does_not_tell_three_classes_apart() -> None:
    items = [answer(label=label, probability=0.5) for label in "abc"]
    assert result("brier", items).estimate is None
    assert result("ece", items).estimate is None


def test_what_is_no_probability_is_counted_with_its_reason() -> None:
    items = [
        *forecasts([0.1], [False]),
        answer("a", "a"),
        answer(label="no", probability=1.2),
        answer(probability=0.5),
    ]
    assert result("brier", items).unscored == {
        "no probability": 1,
        "a probability is not between 0 and 1": 1,
        "no reference answer": 1,
    }
    wild = [answer("a", "a", confidence=7), answer(label="a", confidence=0.5)]
    assert result("ece", wild).unscored == {
        "the confidence is not between 0 and 1": 1,
        "not answered": 1,
    }


@pytest.mark.parametrize("bins", ["0", "many", "-3", "2.5", "1001"])
def test_a_number_of_bins_that_is_none_is_refused(bins: str) -> None:
    with pytest.raises(UsageError, match="no number of bins"):
        load_metric(f"ece:{bins}")


def test_the_better_forecaster_has_the_lower_score() -> None:
    random = np.random.default_rng(2)
    chance = random.random(150)
    truths = random.random(150) < chance
    good, bad = forecasts(chance, truths), forecasts(1 - chance, truths)
    for metric in ("brier", "ece"):
        found = difference(metric, bad, good)
        assert found.difference.high < 0
        assert found.p_value < 0.01


def test_without_a_positive_class_there_are_no_bins() -> None:
    items = [answer(label=label, probability=0.4) for label in "abc"]
    found = result("ece", items)
    assert (found.estimate, found.detail) == (None, {"bins": []})
