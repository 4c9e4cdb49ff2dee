from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from answers import answer, difference, result, value
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score

from tuneval.errors import UsageError
from tuneval.evaluation.items import Chosen
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.metrics.ranking import average_precision, ndcg, reciprocal_rank

GAINS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([1.0, 2.0, 3.0]), min_size=1)
SCORES = st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=6, max_size=6)
DEPTHS = st.sampled_from([None, 1, 2, 4])


def in_groups(scores: list[float]) -> list[list[str]]:
    heights = sorted(set(scores), reverse=True)
    return [[n for n, s in zip("abcdef", scores, strict=True) if s == h] for h in heights]


def plain_ndcg(order: list[str], gains: dict[str, float], depth: int | None) -> float:
    def total(values: list[float]) -> float:
        return sum(v / math.log2(place + 2) for place, v in enumerate(values[:depth]))

    return total([gains.get(n, 0.0) for n in order]) / total(sorted(gains.values(), reverse=True))


def plain_precision(order: list[str], gains: dict[str, float], depth: int | None) -> float:
    shown = order[:depth]
    at_hits = [
        sum(name in gains for name in shown[: place + 1]) / (place + 1)
        for place, name in enumerate(shown)
        if name in gains
    ]
    return sum(at_hits) / len(gains)


def plain_rank(order: list[str], gains: dict[str, float], depth: int | None) -> float:
    places = [place for place, name in enumerate(order[:depth], start=1) if name in gains]
    return 1 / places[0] if places else 0.0


@settings(max_examples=30)
@given(SCORES, GAINS, DEPTHS)
def test_ties_give_the_mean_over_all_their_orders(scores, gains, depth) -> None:
    groups = in_groups(scores)
    orders = [
        list(itertools.chain(*parts))
        for parts in itertools.product(*(itertools.permutations(group) for group in groups))
    ]
    pairs = [
        (ndcg, plain_ndcg),
        (average_precision, plain_precision),
        (reciprocal_rank, plain_rank),
    ]
    for measure, plain in pairs:
        expected = np.mean([plain(order, gains, depth) for order in orders])
        assert measure(groups, gains, depth) == pytest.approx(expected)


@settings(max_examples=30)
@given(st.permutations([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), GAINS, DEPTHS)
def test_without_ties_the_values_are_scikit_learns(scores, gains, depth) -> None:
    true = [gains.get(name, 0.0) for name in "abcdef"]
    fields = {"document_scores": dict(zip("abcdef", scores, strict=True)), "relevance": gains}
    name = f"ndcg:{depth}" if depth else "ndcg:6"
    assert value(name, [answer(**fields)]) == pytest.approx(ndcg_score([true], [scores], k=depth))
    expected = average_precision_score([gain > 0 for gain in true], scores)
    assert value("map", [answer(**fields)]) == pytest.approx(expected)


def test_the_worked_example_of_discounted_gain() -> None:
    # The encyclopaedia's article "Discounted cumulative gain": DCG 6.861 of 8.740 at best.
    gains = dict(zip("abcdefgh", [3.0, 2.0, 3.0, 0.0, 1.0, 2.0, 3.0, 2.0], strict=True))
    item = answer(ranking=list("abcdef"), relevance=gains)
    assert value("ndcg:6", [item]) == pytest.approx(0.785, abs=5e-4)


def test_the_worked_example_of_reciprocal_ranks() -> None:
    # The encyclopaedia's article "Mean reciprocal rank": (1/3 + 1/2 + 1) / 3 = 11/18.
    queries = [
        (["catten", "cati", "cats"], "cats"),
        (["torii", "tori", "toruses"], "tori"),
        (["viruses", "virii", "viri"], "viruses"),
    ]
    items = [answer(ranking=order, relevance=[right]) for order, right in queries]
    assert value("mrr", items) == pytest.approx(11 / 18)
    assert value("mrr:2", items) == pytest.approx((0 + 1 / 2 + 1) / 3)


@pytest.mark.parametrize(
    "text",
    ["B > A > C", "b>a>c", "[2] > [1] > [3]", '["y", "x", "z"]', "2\n1\n3", "y, x, z", "B、A"],
)
def test_an_order_is_read_from_the_answer(text: str) -> None:
    shown = {"documents": ["x", "y", "z"]}
    item = answer(text, relevance={"x": 1}, **shown)
    assert value("mrr", [item]) == 0.5


def test_the_likelihoods_of_choices_are_scores() -> None:
    chosen = Chosen((" A", " B", " C"), (-3.0, -1.0, -2.0), (1, 1, 1), (2,))
    item = answer(chosen=chosen, documents=["x", "y", "z"], relevance={"z": 2, "x": 0})
    assert value("mrr", [item]) == 0.5


def test_documents_shown_but_not_named_come_last_together() -> None:
    item = answer("C", documents=["x", "y", "z"], relevance={"x": 1})
    assert value("mrr", [item]) == pytest.approx((1 / 2 + 1 / 3) / 2)


def test_a_document_counts_where_it_is_first_named() -> None:
    assert value("mrr", [answer(ranking=["a", "a", "b"], relevance=["b"])]) == 0.5


def test_all_found_is_1_and_nothing_found_is_0() -> None:
    best = answer(ranking=["a", "b"], relevance={"a": 2, "b": 1})
    none = answer(ranking=["c", "d"], relevance={"a": 2, "b": 1})
    unread = answer("I cannot say", relevance={"a": 2})
    for metric in ("ndcg", "map", "mrr"):
        assert value(metric, [best]) == pytest.approx(1.0)
        assert value(metric, [none]) == 0.0
        assert value(metric, [unread]) == 0.0
        assert difference(metric, [none] * 9, [best] * 9).difference.value == pytest.approx(1.0)


def test_queries_without_relevance_or_answer_are_counted() -> None:
    items = [answer(ranking=["a"], relevance={"a": 0}), answer(relevance=["a"])]
    found = result("ndcg", items)
    assert found.estimate is None
    assert found.unscored == {"no document is relevant": 1, "not answered": 1}


@pytest.mark.parametrize("depth", ["0", "-1", "many", "1.5"])
def test_a_depth_that_is_no_number_of_places_is_refused(depth: str) -> None:
    with pytest.raises(UsageError, match="no number of places"):
        load_metric(f"ndcg:{depth}")


@pytest.mark.parametrize(
    "said",
    ["1. d2\n2. d1", "- d2\n- d1", "The order is: B > A", "Ranking: [2] > [1]", "顺序：d2 > d1"],
)
def test_an_order_is_read_from_lists_and_after_a_colon(said: str) -> None:
    item = answer(said, documents=["d1", "d2"], relevance=["d2"])
    assert value("mrr", [item]) == 1.0


def test_fields_of_a_table_are_read_from_text() -> None:
    item = answer(ranking="d3 > d1 > d2", relevance="d1", documents="d1,d2,d3")
    assert value("mrr", [item]) == 0.5
    assert value("mrr", [answer("B > A", documents="d1|d2", relevance="d2")]) == 1.0
    assert value("mrr", [answer("7", documents=7, relevance=7)]) == 1.0
