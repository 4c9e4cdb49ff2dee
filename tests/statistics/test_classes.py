from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.errors import StatisticsError
from tuneval.statistics.bootstrap import bootstrap
from tuneval.statistics.classes import label_counts, macro_f1, macro_f1_of_sums
from tuneval.statistics.paired_sums import paired_sums_comparison

LABELS = st.sampled_from("abcx")


def single(labels: Iterable[str]) -> list[frozenset[str]]:
    return [frozenset([label]) for label in labels]


def test_macro_f1_equals_a_count_by_hand() -> None:
    # a: 2 hits of 3 said, 2 true: 4/5. b: 1 of 1 said, 3 true: 2/4. c: 0 of 1 said, 1 true: 0.
    expected, predicted = "aabbbc", "aabcaz"
    assert macro_f1(single(predicted), single(expected)) == pytest.approx((4 / 5 + 2 / 4 + 0) / 3)


def test_an_invented_label_costs_recall_but_adds_no_class() -> None:
    assert macro_f1(single("aab!"), single("aabb")) == pytest.approx((1 + 2 / 3) / 2)


def test_a_missing_answer_is_wrong_and_several_labels_are_a_set() -> None:
    expected = [frozenset("ab"), frozenset("a"), frozenset("b")]
    predicted = [frozenset("a"), frozenset("a"), frozenset()]
    # a: all right. b: never said.
    assert macro_f1(predicted, expected) == pytest.approx(0.5)


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=30))
def test_macro_f1_is_that_of_the_confusion_matrix(pairs: list[tuple[str, str]]) -> None:
    predicted, expected = zip(*pairs, strict=True)
    per_class = []
    for label in set(expected):
        hits = sum(p == e == label for p, e in pairs)
        precision = hits / max(1, predicted.count(label))
        recall = hits / expected.count(label)
        per_class.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    assert macro_f1(single(predicted), single(expected)) == pytest.approx(np.mean(per_class))


def test_the_interval_of_macro_f1_holds_its_coverage() -> None:
    random = np.random.default_rng(2)
    # Three classes, 70% right, errors even: by symmetry the true macro-F1 is 0.7.
    rounds, covered = 200, 0
    for seed in range(rounds):
        expected = random.integers(0, 3, 90)
        wrong = (expected + random.integers(1, 3, 90)) % 3
        predicted = np.where(random.random(90) < 0.7, expected, wrong)
        counts = label_counts(single(predicted.tolist()), single(expected.tolist()))
        estimate = bootstrap(counts, macro_f1_of_sums, seed=seed, n_resamples=500)
        covered += not estimate.excludes(0.7)
    assert covered / rounds >= 0.91


def test_two_systems_are_compared_item_by_item() -> None:
    random = np.random.default_rng(3)
    expected = random.choice(list("abc"), 120)
    weak = np.where(random.random(120) < 0.5, expected, "a")
    strong = np.where(random.random(120) < 0.8, expected, "b")
    counts = [label_counts(single(said), single(expected)) for said in (weak, strong)]
    comparison = paired_sums_comparison(*counts, macro_f1_of_sums, seed=1)
    assert comparison.difference.value == pytest.approx(
        macro_f1(single(strong), single(expected)) - macro_f1(single(weak), single(expected))
    )
    assert comparison.difference.excludes(0.0)
    assert comparison.p_value < 0.05
    assert (
        comparison.n_higher - comparison.n_lower
        == (strong == expected).sum() - (weak == expected).sum()
    )


def test_the_same_answers_do_not_differ_in_f1() -> None:
    labels = single("abcabc")
    counts = label_counts(labels, labels)
    comparison = paired_sums_comparison(counts, counts, macro_f1_of_sums, seed=1)
    assert comparison.p_value == 1.0
    assert comparison.n_discordant == 0


def test_randomisation_keeps_its_false_alarms_below_the_level() -> None:
    random = np.random.default_rng(12)
    alarms = 0
    for seed in range(200):
        tokens = random.integers(1, 30, 40)
        right = random.binomial(tokens, random.beta(4, 2, 40)), random.binomial(tokens, 2 / 3)
        comparison = paired_sums_comparison(
            np.column_stack([right[0], tokens]),
            np.column_stack([right[1], tokens]),
            lambda sums: sums[..., 0] / sums[..., 1],
            seed=seed,
            n_resamples=300,
        )
        alarms += comparison.p_value <= 0.05
    assert alarms / 200 <= 0.09


def test_f1_without_labels_is_an_error() -> None:
    with pytest.raises(StatisticsError, match="expected label"):
        macro_f1([frozenset("a")], [frozenset()])
    with pytest.raises(StatisticsError, match="2 predictions for 1"):
        macro_f1([frozenset("a")] * 2, [frozenset("a")])
