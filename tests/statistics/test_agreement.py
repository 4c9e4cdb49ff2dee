"""Agreement beyond chance equals the worked examples of its sources, and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from tuneval.errors import StatisticsError
from tuneval.statistics.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha

# Krippendorff (2011), "Computing Krippendorff's alpha-reliability", section C: four observers,
# twelve units, missing ratings.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
UNITS = list(zip(*OBSERVERS, strict=True))


@pytest.mark.parametrize(
    ("measurement", "alpha"),
    [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)],
)
def test_alpha_equals_krippendorffs_example(measurement, alpha) -> None:
    found = krippendorff_alpha(UNITS, measurement=measurement, n_resamples=200)
    assert found.value == pytest.approx(alpha, abs=5e-4)
    assert found.n == 11, "the last unit has one rating and says nothing"


def test_fleiss_kappa_equals_the_worked_example() -> None:
    # Fleiss (1971), as in Wikipedia's "Fleiss' kappa": ten subjects, fourteen raters, kappa 0.210.
    counts = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    ratings = [[k for k, n in enumerate(row) for _ in range(n)] for row in counts]
    assert fleiss_kappa(ratings, n_resamples=200).value == pytest.approx(0.210, abs=5e-4)


def test_cohens_kappa_equals_the_worked_example() -> None:
    # Wikipedia, "Cohen's kappa": 20 yes by both, 15 no by both, 5 and 10 apart: kappa 0.4.
    a = ["yes"] * 25 + ["no"] * 25
    b = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    found = cohen_kappa(a, b)
    assert found.value == pytest.approx(0.4)
    # Fleiss, Cohen and Everitt (1969) give the standard error 0.127 for this table.
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.127, rel=0.08)


@pytest.mark.parametrize("weights", ["nominal", "linear", "quadratic"])
def test_cohens_kappa_equals_scikit_learn(weights) -> None:
    random = np.random.default_rng(8)
    a = random.integers(0, 5, 200)
    b = np.clip(a + random.integers(-1, 2, 200), 0, 4)
    found = cohen_kappa(
        a.tolist(), b.tolist(), weights=weights, order=[0, 1, 2, 3, 4], n_resamples=200
    )
    theirs = cohen_kappa_score(a, b, weights=None if weights == "nominal" else weights)
    assert found.value == pytest.approx(theirs)


def test_full_agreement_is_one_and_has_no_interval_to_show() -> None:
    for found in (
        cohen_kappa([1, 2, 1, 2], [1, 2, 1, 2]),
        fleiss_kappa([[1, 1], [2, 2], [1, 1]]),
        krippendorff_alpha([[1, 1], [2, 2], [1, 1]]),
    ):
        assert found.value == pytest.approx(1.0)


def test_two_raters_of_every_item_give_about_the_same_by_every_coefficient() -> None:
    random = np.random.default_rng(9)
    a = random.integers(0, 3, 400)
    b = np.where(random.random(400) < 0.7, a, random.integers(0, 3, 400))
    pairs = list(zip(a.tolist(), b.tolist(), strict=True))
    values = [
        cohen_kappa(a.tolist(), b.tolist(), n_resamples=200).value,
        fleiss_kappa(pairs, n_resamples=200).value,
        krippendorff_alpha(pairs, n_resamples=200).value,
    ]
    assert values == pytest.approx([0.7] * 3, abs=0.06)
    assert np.ptp(values) < 0.01


def test_items_of_a_cluster_are_resampled_together() -> None:
    random = np.random.default_rng(10)
    a = np.repeat(random.integers(0, 2, 20), 10)
    b = np.where(np.repeat(random.random(20) < 0.8, 10), a, 1 - a)
    alone = cohen_kappa(a.tolist(), b.tolist())
    together = cohen_kappa(a.tolist(), b.tolist(), clusters=np.repeat(np.arange(20), 10).tolist())
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_the_interval_of_kappa_covers_it() -> None:
    random = np.random.default_rng(11)
    n, rounds, agreeing = 80, 400, 0.6
    covered = 0
    for _ in range(rounds):
        a = random.integers(0, 3, n)
        b = np.where(random.random(n) < agreeing, a, random.integers(0, 3, n))
        found = cohen_kappa(a.tolist(), b.tolist(), n_resamples=500)
        covered += found.low <= agreeing <= found.high  # uniform classes: kappa is the share
    assert covered / rounds == pytest.approx(0.95, abs=0.03)


def test_what_cannot_be_rated_is_refused() -> None:
    with pytest.raises(StatisticsError, match="All ratings are the same"):
        cohen_kappa([1, 1], [1, 1])
    with pytest.raises(StatisticsError, match="2 ratings cannot be paired with 1"):
        cohen_kappa([1, 2], [1])
    with pytest.raises(StatisticsError, match="in their order"):
        cohen_kappa([1, 2], [1, 2], weights="linear")
    with pytest.raises(StatisticsError, match="rating 3 is not in the order"):
        cohen_kappa([1, 3], [1, 2], weights="linear", order=[1, 2])
    with pytest.raises(StatisticsError, match="equally many ratings"):
        fleiss_kappa([[1, 2], [1]])
    with pytest.raises(StatisticsError, match="No item has two ratings"):
        krippendorff_alpha([[1, None], [None, 2]])
    with pytest.raises(StatisticsError, match="must be numbers"):
        krippendorff_alpha([["a", "b"], ["a", "a"]], measurement="interval")
