"""The examples that the sources of metrics work out themselves, as they stand there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from answers import answer, answers, result, value

from tuneval.evaluation.items import Item
from tuneval.evaluation.metrics.generation.corpus_bleu import bleu_counts
from tuneval.statistics.rank_aggregation import aggregate_ranks
from tuneval.statistics.series import sharpe_ratio


def test_papineni_2002_clips_a_word_that_is_said_too_often() -> None:
    # Section 2.1, example 2: the candidate's modified unigram precision is 2/7.
    counts = bleu_counts("the the the the the the the", "the cat is on the mat")
    shared, written = counts[2:6], counts[6:]
    assert (shared, written) == ([2, 0, 0, 0], [7, 6, 5, 4])


@pytest.mark.parametrize(
    ("said", "rouge_2", "rouge_l"),
    [("police kill the gunman", 1 / 3, 3 / 4), ("the gunman kill police", 1 / 3, 2 / 4)],
)
@pytest.mark.parametrize("kind", ["rouge-{}", "rouge_words:{}"])
def test_lin_2004_tells_two_orders_of_the_same_words_apart(
    kind: str, said: str, rouge_2: float, rouge_l: float
) -> None:
    # Section 3.1: equal by ROUGE-2 (one pair, "the gunman"), 3/4 and 2/4 by ROUGE-L.
    items = [answer(said, "police killed the gunman")]
    assert value(kind.format("2"), items) == pytest.approx(100 * rouge_2, abs=1e-3)
    assert value(kind.format("l"), items) == pytest.approx(100 * rouge_l, abs=1e-3)


def test_banerjee_and_lavie_2005_count_two_chunks_around_a_missing_word() -> None:
    # Section 2.2: "the president" and "spoke to the audience"; 10PR / (R + 9P), and a penalty of
    # 0.5 (chunks / matches)^3.
    said, wanted = "the president spoke to the audience", "the president then spoke to the audience"
    mean = 10 * (6 / 7) / (6 / 7 + 9)
    expected = mean * (1 - 0.5 * (2 / 6) ** 3)
    assert value("meteor", [answer(said, wanted)]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("said", "wanted", "score"),
    [
        ("abcdefg", "hijklmnop", 0.0),
        (
            "Co nás nejvíc trápí, protože lékaři si vybírají, kdo bude žít a kdo zemře.",
            "Nejvíce smutní jsme z toho, že musíme rozhodovat o tom, kdo bude žít a kdo zemře.",
            39.14078509,
        ),
        (
            "Nebo prostě nemají vybavení, které by jim pomohlo, uvedli lékaři.",
            "A někdy nemáme ani potřebný materiál, abychom jim pomohli, popsali lékaři.",
            31.22557079,
        ),
    ],
)
def test_popovic_2015_on_sacrebleus_own_examples(said: str, wanted: str, score: float) -> None:
    # sacrebleu's test/test_chrf.py, single sentences.
    assert value("chrf", [answer(said, wanted)]) == pytest.approx(score, abs=1e-4)


def test_discounted_gain_of_six_documents() -> None:
    # Wikipedia, "Discounted cumulative gain": 6.861 over 8.740, two better ones being left out.
    gains = {"d1": 3, "d2": 2, "d3": 3, "d4": 0, "d5": 1, "d6": 2, "d7": 3, "d8": 2}
    item = answer(ranking=["d1", "d2", "d3", "d4", "d5", "d6"], relevance=gains)
    assert value("ndcg:6", [item]) == pytest.approx(0.785, abs=5e-4)


def test_croft_metzler_and_strohman_2009_average_over_two_queries() -> None:
    # "Search Engines", figures 8.2 and 8.4: 0.78 and 0.52 for one query; 0.62 and 0.44, mean 0.53.
    def query(*places: int) -> Item:
        names = [f"d{place}" for place in range(1, 11)]
        return answer(ranking=names, relevance=[f"d{place}" for place in places])

    for places, expected in {
        (1, 3, 4, 5, 6, 10): 0.78,
        (2, 5, 6, 7, 9, 10): 0.52,
        (1, 3, 6, 9, 10): 0.62,
        (2, 5, 7): 0.44,
    }.items():
        assert value("map", [query(*places)]) == pytest.approx(expected, abs=5.1e-3)
    both = [query(1, 3, 6, 9, 10), query(2, 5, 7)]
    assert value("map", both) == pytest.approx(0.53, abs=5.1e-3)


def test_reciprocal_ranks_of_three_plurals() -> None:
    # Wikipedia, "Mean reciprocal rank": cats third, tori second, viruses first; 11/18.
    rows = {
        "cats": ["catten", "cati", "cats"],
        "tori": ["torii", "tori", "toruses"],
        "viruses": ["viruses", "virii", "viri"],
    }
    items = [answer(ranking=said, relevance=[right]) for right, said in rows.items()]
    assert value("mrr", items) == pytest.approx(11 / 18)


def test_brier_1950_ten_forecasts_of_rain() -> None:
    # Table 1: his score is 0.19, over rain and no rain; the row's is half of it.
    forecasts = (0.7, 0.9, 0.8, 0.4, 0.2, 0, 0, 0, 0, 0.1)
    rain = (0, 1, 1, 1, 0, 0, 0, 0, 0, 0)
    items = [answer(label=str(y), probability=p) for p, y in zip(forecasts, rain, strict=True)]
    assert value("brier", items) == pytest.approx(0.19 / 2)


@pytest.mark.parametrize("metric", ["roc_auc:ill", "auc:ill"])
def test_hanley_and_mcneil_1982_ratings_of_tomographies(metric: str) -> None:
    # Table 1: 58 normal and 51 abnormal images on five grades; the area is 0.893, its error 0.032.
    normal, abnormal = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)
    items = [
        answer(label=label, probability=grade)
        for label, counts in (("well", normal), ("ill", abnormal))
        for grade, count in enumerate(counts, start=1)
        for _ in range(count)
    ]
    found = result(metric, items).estimate
    assert found is not None
    assert found.value == pytest.approx(0.893, abs=5e-4)
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.032, rel=0.1)


def test_altman_and_bland_1994_liver_scans() -> None:
    # "Diagnostic tests 1", BMJ 308: 231 of 258 and 54 of 86; 0.90 and 0.63.
    counts = {
        ("abnormal", "abnormal"): 231,
        ("normal", "abnormal"): 27,
        ("abnormal", "normal"): 32,
        ("normal", "normal"): 54,
    }
    items = [answer(*pair) for pair, n in counts.items() for _ in range(n)]
    assert value("sensitivity:abnormal", items) == pytest.approx(0.90, abs=5e-3)
    assert value("specificity:abnormal", items) == pytest.approx(0.63, abs=5e-3)


@pytest.mark.parametrize(("ratio", "error"), [(0.5, 0.047), (1.0, 0.055), (1.5, 0.065)])
def test_lo_2002_standard_errors_at_500_periods(ratio: float, error: float) -> None:
    # Table 1, independent normal returns.
    random, quantile = np.random.default_rng(3), 1.959964
    found = [sharpe_ratio(random.normal(ratio, 1, 500)) for _ in range(200)]
    errors = [(each.high - each.low) / 2 / quantile for each in found]
    assert np.mean(errors) == pytest.approx(error, rel=0.03)


def test_scikit_learn_averages_of_three_classes() -> None:
    # The documentation's examples of precision_score, recall_score and f1_score.
    items = answers(list("021001"), list("012012"))
    expected = {
        "precision_macro": 0.2222,
        "precision_micro": 0.3333,
        "recall_macro": 0.3333,
        "f1_macro": 0.2667,
        "f1_micro": 0.3333,
        "f1_weighted": 0.2667,
    }
    for metric, number in expected.items():
        assert value(metric, items) == pytest.approx(number, abs=5e-5)


def test_scikit_learn_errors_of_four_numbers() -> None:
    # The documentation's example of mean_squared_error, mean_absolute_error and r2_score.
    items = answers(["2.5", "0.0", "2", "8"], ["3", "-0.5", "2", "7"])
    expected = {"mse": 0.375, "mae": 0.5, "rmse": math.sqrt(0.375), "r2": 0.9486081370449679}
    for metric, number in expected.items():
        assert value(metric, items) == pytest.approx(number, rel=1e-12)


def test_scikit_learn_sets_of_labels() -> None:
    # The documentation's examples of hamming_loss and of jaccard_score by samples.
    empty = [answer("none", reference_labels=["b"]), answer("none", reference_labels=["a", "b"])]
    assert value("hamming_loss", empty) == 0.75
    sets = [
        answer("a, b, c", reference_labels=["b", "c"]),
        answer("a", reference_labels=["a", "b"]),
    ]
    assert value("jaccard", sets) == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_borda_points_of_the_capital_of_tennessee() -> None:
    # Wikipedia, "Borda count": 100 voters in four groups.
    groups = {
        ("Memphis", "Nashville", "Chattanooga", "Knoxville"): 42,
        ("Nashville", "Chattanooga", "Knoxville", "Memphis"): 26,
        ("Chattanooga", "Knoxville", "Nashville", "Memphis"): 15,
        ("Knoxville", "Chattanooga", "Nashville", "Memphis"): 17,
    }
    orders = [order for order, n in groups.items() for _ in range(n)]
    values = {
        city: {f"voter {i}": float(-order.index(city)) for i, order in enumerate(orders)}
        for city in orders[0]
    }
    found = aggregate_ranks(values, dict.fromkeys(values["Memphis"], True))
    assert {row.name: row.borda for row in found.rows} == {
        "Nashville": 194,
        "Chattanooga": 173,
        "Memphis": 126,
        "Knoxville": 107,
    }
