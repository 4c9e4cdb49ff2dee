from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from tuneval.errors import StatisticsError
from tuneval.statistics.auc import auc, mean_auc, paired_auc, paired_mean_auc
from tuneval.statistics.roc import roc_points, weighted_auc

SCORED = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, 2.0, 3.0]), st.booleans()), min_size=2, max_size=25
).filter(lambda pairs: len({positive for _, positive in pairs}) == 2)


def sample(random: np.random.Generator, n: int, strength: float):
    positive = np.zeros(n, dtype=bool)
    positive[: n // 3] = True
    return random.normal(size=n) + strength * positive, positive


def plain_delong(a, b, positive) -> tuple[float, float]:
    """Variances of the area of a and of b - a, by the sums of DeLong et al. (1988) as written."""

    def psi(x: float, y: float) -> float:
        return 1.0 if y < x else 0.5 if y == x else 0.0

    def components(scores):
        x, y = scores[positive], scores[~positive]
        area = np.mean([[psi(i, j) for j in y] for i in x])
        v10 = np.array([np.mean([psi(i, j) for j in y]) for i in x]) - area
        v01 = np.array([np.mean([psi(i, j) for i in x]) for j in y]) - area
        return v10, v01

    def variance(v10, v01) -> float:
        m, n = len(v10), len(v01)
        return float(v10 @ v10 / (m - 1) / m + v01 @ v01 / (n - 1) / n)

    (a10, a01), (b10, b01) = components(np.asarray(a)), components(np.asarray(b))
    return variance(a10, a01), variance(b10 - a10, b01 - a01)


@given(SCORED)
def test_the_area_equals_scikit_learn_also_with_ties(pairs: list[tuple[float, bool]]) -> None:
    scores, positive = zip(*pairs, strict=True)
    expected = roc_auc_score(positive, scores)
    assert auc(scores, positive).value == pytest.approx(expected)
    once = np.ones((1, len(scores)))
    assert weighted_auc(scores, positive)(once)[0] == pytest.approx(expected)


@given(SCORED, st.data())
def test_weights_count_an_item_as_often_as_copies_of_it(pairs, data) -> None:
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(pairs), max_size=len(pairs)))
    copies = [pair for pair, n in zip(pairs, weights, strict=True) for _ in range(n)]
    scores, positive = zip(*pairs, strict=True)
    area = weighted_auc(scores, positive)(np.array([weights], dtype=float))[0]
    if len({positive for _, positive in copies}) < 2:
        assert math.isnan(area)
    else:
        assert area == pytest.approx(auc(*zip(*copies, strict=True)).value)


def test_the_interval_and_the_test_are_delongs() -> None:
    random = np.random.default_rng(1)
    a, positive = sample(random, 45, 1.0)
    b = np.round(a + random.normal(0, 0.5, 45), 1)
    of_a, of_difference = plain_delong(a, b, positive)
    found, compared = auc(a, positive), paired_auc(a, b, positive)
    reach = 1.959964 * math.sqrt(of_a) / (found.value * (1 - found.value))
    logit = math.log(found.value / (1 - found.value))
    assert found.low == pytest.approx(1 / (1 + math.exp(reach - logit)), rel=1e-5)
    assert found.high == pytest.approx(1 / (1 + math.exp(-reach - logit)), rel=1e-5)
    difference = roc_auc_score(positive, b) - roc_auc_score(positive, a)
    z = difference / math.sqrt(of_difference)
    assert compared.difference.value == pytest.approx(difference)
    assert compared.p_value == pytest.approx(2 * stats.norm.sf(abs(z)))
    assert compared.difference.high == pytest.approx(
        difference + 1.959964 * math.sqrt(of_difference), rel=1e-5
    )


def test_clusters_of_copies_are_worth_one_item_each() -> None:
    scores, positive = sample(np.random.default_rng(2), 60, 1.0)
    keys = np.repeat(np.arange(60), 4).tolist()
    once, often = auc(scores, positive), auc(np.repeat(scores, 4), np.repeat(positive, 4))
    clustered = auc(np.repeat(scores, 4), np.repeat(positive, 4), clusters=keys)
    assert clustered.n_clusters == 60
    assert clustered.high - clustered.low == pytest.approx(once.high - once.low, rel=0.05)
    assert often.high - often.low < 0.6 * (once.high - once.low)
    change = paired_auc(
        np.repeat(scores, 4), np.repeat(scores**2, 4), np.repeat(positive, 4), clusters=keys
    )
    assert change.p_value == pytest.approx(
        paired_auc(scores, scores**2, positive).p_value, abs=0.02
    )


@pytest.mark.parametrize(("m", "n"), [(10, 10), (1, 5), (3, 40)])
def test_at_the_ends_the_limit_solves_newcombes_equation(m: int, n: int) -> None:
    scores, positive = np.arange(m + n), np.arange(m + n) >= n
    found = auc(scores, positive)
    assert (found.value, found.high, found.method) == (1.0, 1.0, "Newcombe")
    # Method 5 of Newcombe (2006): Hanley and McNeil's variance at the limit itself, with both
    # classes as large as their mean in the sums of Q1 and Q2.
    limit, both = found.low, (m + n) / 2 - 1
    q1, q2 = limit / (2 - limit), 2 * limit**2 / (1 + limit)
    variance = (limit * (1 - limit) + both * (q1 - limit**2) + both * (q2 - limit**2)) / (m * n)
    assert 1 - limit == pytest.approx(1.959964 * math.sqrt(variance), rel=1e-5)
    reverse = auc(-scores, positive)
    assert (reverse.low, reverse.high) == (0.0, pytest.approx(1 - limit))


def test_the_interval_covers_the_true_area() -> None:
    random = np.random.default_rng(3)
    for strength in (0.0, 1.2):
        true = stats.norm.cdf(strength / math.sqrt(2))
        rounds = [auc(*sample(random, 75, strength)) for _ in range(400)]
        covered = np.mean([found.low <= true <= found.high for found in rounds])
        assert 0.925 <= covered <= 0.98


def three_classes(random: np.random.Generator, n: int = 90):
    """Scores of three classes, and which items are of each: every class at least once."""
    truth = np.concatenate([np.arange(3), random.choice(3, n - 3, p=[0.6, 0.3, 0.1])])
    scores = random.normal(size=(n, 3)) + 1.0 * (truth[:, None] == np.arange(3))
    by_class = {name: scores[:, k] for k, name in enumerate("abc")}
    return by_class, {name: truth == k for k, name in enumerate("abc")}


def test_the_mean_area_of_several_classes_covers_the_true_one() -> None:
    random = np.random.default_rng(8)
    true = stats.norm.cdf(1 / math.sqrt(2))
    rounds = [mean_auc(*three_classes(random)) for _ in range(300)]
    scores, classes = three_classes(random)
    expected = np.mean([roc_auc_score(classes[k], scores[k]) for k in classes])
    assert mean_auc(scores, classes).value == pytest.approx(expected)
    covered = np.mean([found.low <= true <= found.high for found in rounds])
    assert 0.91 <= covered <= 0.985


def test_a_class_of_one_item_does_not_take_the_interval_away() -> None:
    scores, classes = three_classes(np.random.default_rng(10), 30)
    classes["c"] = np.arange(30) == 2
    found = mean_auc(scores, classes)
    assert found.method == "DeLong, logit"
    assert found.low < found.value < found.high


def test_equal_mean_areas_are_called_different_rarely() -> None:
    random = np.random.default_rng(9)
    called = 0
    for _ in range(200):
        scores, classes = three_classes(random)
        a, b = ({k: s + random.normal(0, 0.7, 90) for k, s in scores.items()} for _ in range(2))
        called += paired_mean_auc(a, b, classes).difference.excludes(0)
    assert called / 200 <= 0.09
    worse = {k: -s for k, s in scores.items()}
    assert paired_mean_auc(worse, scores, classes).difference.low > 0


def test_equal_scores_differ_in_nothing_and_opposite_ones_in_all() -> None:
    scores, positive = np.arange(12.0), np.arange(12) >= 6
    same = paired_auc(scores, scores * 3, positive)
    assert (same.difference.value, same.difference.low, same.p_value) == (0.0, None, 1.0)
    assert same.n_equal == 12
    opposite = paired_auc(scores, -scores, positive)
    assert (opposite.difference.value, opposite.n_lower) == (-1.0, 12)
    assert opposite.difference.high < 0
    assert opposite.p_value < 0.001
    turned = paired_auc(-scores, scores, positive)
    assert (turned.difference.low, turned.difference.high) == pytest.approx(
        (-opposite.difference.high, -opposite.difference.low)
    )


def test_the_curve_begins_at_the_highest_score_and_ends_with_all() -> None:
    points = roc_points([0.9, 0.8, 0.8, 0.1], [True, True, False, False])
    found = [(p.threshold, p.false_positive_rate, p.true_positive_rate) for p in points]
    assert found == [(0.9, 0.0, 0.5), (0.8, 0.5, 1.0), (0.1, 1.0, 1.0)]


def test_one_class_alone_has_no_area() -> None:
    with pytest.raises(StatisticsError, match="one class"):
        auc([1.0, 2.0], [True, True])
    with pytest.raises(StatisticsError, match="2 scores but 1"):
        auc([1.0, 2.0], [True])
