from __future__ import annotations

import numpy as np
import pytest
from answers import answer
from sklearn.metrics import cohen_kappa_score

from tuneval.evaluation.metrics import load_metric

KAPPA = load_metric("cohen_kappa")


def kappa(said: list[str | None], true: list[str]) -> float:
    items = [
        answer(one, label, extracted={"official": one}) if one is None else answer(one, label)
        for one, label in zip(said, true, strict=True)
    ]
    estimate = KAPPA.estimate(items, clusters=None, seed=1)
    assert estimate is not None
    return estimate.value


def test_the_worked_example_of_cohen_1960() -> None:
    """Its Table 1: 200 cases, agreement .70, by chance .41, kappa .492."""
    table = np.array([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
    true = [str(i) for i in range(3) for j in range(3) for _ in range(table[i, j])]
    said = [str(j) for i in range(3) for j in range(3) for _ in range(table[i, j])]

    assert kappa(said, true) == pytest.approx((0.70 - 0.41) / (1 - 0.41))
    assert round(kappa(said, true), 3) == 0.492


def test_it_is_sklearns_number_on_random_verdicts() -> None:
    random = np.random.default_rng(3)
    for _ in range(5):
        true = [str(v) for v in random.integers(0, 4, 60)]
        said = [t if random.random() < 0.5 else str(random.integers(0, 4)) for t in true]
        assert kappa(list(said), true) == pytest.approx(cohen_kappa_score(true, said))


def test_full_agreement_is_one_and_one_verdict_for_all_shows_nothing() -> None:
    assert kappa(["a", "b"], ["a", "b"]) == 1.0
    assert kappa(["a", "a"], ["a", "a"]) == 0.0
    assert kappa(["b", "a"], ["a", "b"]) == -1.0


def test_what_cannot_be_read_agrees_with_nobody() -> None:
    assert kappa(["a", None], ["a", "b"]) == pytest.approx(
        cohen_kappa_score(["a", "b"], ["a", "?"])
    )
    assert KAPPA.missing(answer(None, "a")) == "not answered"
    assert KAPPA.missing(answer("a", None)) == "no reference answer"


def test_two_judges_are_compared_item_by_item() -> None:
    true = ["a", "b"] * 20
    better = [answer(t, t) for t in true]
    worse = [answer("a" if n % 3 else t, t) for n, t in enumerate(true)]

    found = KAPPA.compare(worse, better, clusters=None, seed=1)

    assert found is not None
    expected = 1 - cohen_kappa_score(true, [item.predict for item in worse])
    assert found.difference.value == pytest.approx(expected)
