from __future__ import annotations

import numpy as np
import pytest
from answers import answer, answers, difference, result, value
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from tuneval.evaluation.metrics import load_metric

NUMBERS = st.floats(-1e3, 1e3).map(lambda number: round(number, 3))
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=30)


def numbered(said, true) -> list:
    return [answer(number=s, reference_number=t) for s, t in zip(said, true, strict=True)]


@settings(max_examples=25)
@given(PAIRS.filter(lambda pairs: np.std([true for _, true in pairs]) > 1e-2))
def test_the_figures_equal_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    said, true = zip(*pairs, strict=True)
    items = numbered(said, true)
    expected = {
        "mse": sklearn.mean_squared_error(true, said),
        "rmse": sklearn.root_mean_squared_error(true, said),
        "mae": sklearn.mean_absolute_error(true, said),
        "r2": sklearn.r2_score(true, said),
    }
    for metric, number in expected.items():
        assert value(metric, items) == pytest.approx(number, rel=1e-9)


def test_r2_does_not_suffer_from_numbers_far_from_0() -> None:
    true = [1e9 + n for n in range(5)]
    said = [t + 1 for t in true]
    assert value("r2", numbered(said, true)) == pytest.approx(1 - 5 / 10)


def test_a_resample_has_the_r2_of_its_own_items() -> None:
    random = np.random.default_rng(0)
    said, true = random.normal(size=(2, 6))
    metric = load_metric("r2")
    columns, drawn = metric.columns(numbered(said, true)), [0, 0, 1, 4, 4, 4]
    expected = sklearn.r2_score(true[drawn], said[drawn])
    assert metric.statistic(columns[drawn].sum(axis=0)) == pytest.approx(expected)
    assert np.isnan(metric.statistic(columns[[3, 3, 3]].sum(axis=0)))


def test_the_mean_as_every_answer_has_no_r2_and_perfect_answers_all() -> None:
    true = [1.0, 2.0, 6.0]
    assert value("r2", numbered([3.0] * 3, true)) == pytest.approx(0.0)
    assert value("r2", numbered(true, true)) == 1.0
    assert value("rmse", numbered(true, true)) == 0.0


def test_r2_is_not_defined_where_references_never_vary() -> None:
    items = numbered([1.0, 2.0], [0.1 + 0.2, 0.3])
    assert result("r2", items).estimate is None
    assert difference("r2", items, items) is None
    assert result("r2", items[:1]).estimate is None
    assert value("mae", items[:1]) == pytest.approx(0.7)


def test_numbers_are_read_from_texts_and_what_has_none_is_unscored() -> None:
    items = answers(["About 1,200.", "三百", "no idea"], ["1000", "300", "5"])
    found = result("mae", items)
    assert found.estimate.value == 100.0
    assert found.unscored == {"no number in the answer": 1}
    assert result("rmse", items).unscored == found.unscored


def test_the_interval_of_r2_holds_its_coverage() -> None:
    # said = true + error, both normal: R² = 1 - 0.25 / 1.
    random = np.random.default_rng(4)
    covered = 0
    for _ in range(100):
        true = random.normal(size=80)
        estimate = result("r2", numbered(true + random.normal(0, 0.5, 80), true)).estimate
        covered += estimate.low <= 0.75 <= estimate.high
    assert 88 <= covered <= 100


def test_a_better_system_has_the_smaller_error() -> None:
    random = np.random.default_rng(1)
    true = random.normal(size=50)
    worse, better = (numbered(true + random.normal(0, s, 50), true) for s in (1.0, 0.1))
    for metric, sign in (("mse", -1), ("rmse", -1), ("mae", -1), ("r2", 1)):
        found = difference(metric, worse, better)
        assert found.difference.value * sign > 0
        assert found.difference.excludes(0)
        assert found.p_value < 0.01


@pytest.mark.parametrize("metric", ["mse", "rmse", "mae", "r2"])
def test_one_wild_number_is_unscored_and_leaves_the_figure_of_the_others(metric: str) -> None:
    sober = answers(["1", "3", "4"], ["1", "2", "3"])
    wild = answers(["1e200"], ["2"])
    found = result(metric, [*sober, *wild])
    assert found.estimate == result(metric, sober).estimate
    assert found.unscored == {"the number is too large to be squared": 1}
