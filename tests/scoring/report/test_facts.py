"""What the report computes: each number against scipy, a definition, or a count by hand."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tuneval.errors import RunError
from tuneval.scoring.reasons import REASONS
from tuneval.scoring.report.agreement import agreement_of, top_overlap
from tuneval.scoring.report.ends import SHOWN
from tuneval.scoring.report.facts import gather
from tuneval.scoring.report.measures import QUANTILES
from tuneval.scoring.report.models import labels
from tuneval.scoring.report.numbers import difference_text, estimate_text, value_text
from tuneval.scoring.report.words import REASONS_ZH
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.proportion import wilson


def test_the_mean_of_perplexities_is_the_geometric_one(make_scores) -> None:
    values = np.random.default_rng(0).lognormal(2, 1, size=50)
    facts = gather(make_scores({"response_ppl": values.tolist()}), [])
    spread = facts.measure("response_ppl").spread
    assert spread.mean.value == pytest.approx(stats.gmean(values))
    logs = np.log(values)
    ends = stats.t.interval(0.95, 49, logs.mean(), stats.sem(logs))
    assert (spread.mean.low, spread.mean.high) == pytest.approx(tuple(np.exp(ends)))
    assert spread.quantiles == pytest.approx(tuple(np.quantile(values, QUANTILES)))


def test_shares_beyond_the_neutral_value_have_intervals(make_scores) -> None:
    ifd = gather(make_scores({"ifd": [0.5, 0.9, 1.0, 1.2, 2.0, 0.1, "no_response"]}), []).measure(
        "ifd"
    )
    assert (ifd.below, ifd.above) == (wilson(3, 6), wilson(2, 6))


def test_the_interval_of_a_mean_share_stays_within_0_and_1(make_scores) -> None:
    mean = gather(make_scores({"repetition": [0.0] * 9 + [0.2]}), []).measures[0].spread.mean
    assert mean.value == pytest.approx(0.02)
    assert 0 <= mean.low < mean.value < mean.high < 0.5


def test_every_example_is_accounted_for_with_its_reason(make_scores) -> None:
    column = [0.5, "empty_response", "empty_response", "no_peer", None, 0.7]
    facts = gather(make_scores({"ifd": column, "one_shot": [0.0] * 6}), [])
    ifd = facts.measure("ifd")
    assert ifd.account.scored == 2
    assert ifd.account.unscored == {"empty_response": 2, "no_peer": 1, "no_reason": 1}
    assert ifd.account.scored + sum(ifd.account.unscored.values()) == facts.n == 6
    assert ifd.reasons["no_peer"] == REASONS["no_peer"]
    assert facts.n_incomplete == 4


def test_a_plugins_own_reason_is_told_in_its_own_words(make_scores) -> None:
    scores = make_scores({"ifd": [0.5, "odd"]})
    reading = asdict(gather(scores, []).measures[0].reading)
    scores.card["measures"]["ifd"] = {
        "reading": reading,
        "own_reasons": {"odd": ["the text is odd", "make it even"]},
    }
    assert gather(scores, []).measure("ifd").reasons["odd"] == ("the text is odd", "make it even")


def test_every_reason_is_said_in_chinese_too() -> None:
    assert set(REASONS) <= set(REASONS_ZH)


def test_correlations_are_of_the_examples_that_have_both(make_scores) -> None:
    random = np.random.default_rng(1)
    a, b = random.normal(size=(2, 30)).tolist()
    a[3] = b[4] = "no_response"
    (pair,) = gather(make_scores({"ifd": a, "one_shot": b}), []).correlations
    keep = [at for at in range(30) if at not in (3, 4)]
    expected = stats.spearmanr([a[at] for at in keep], [b[at] for at in keep]).statistic
    assert pair.n == pair.estimate.n == 28
    assert pair.estimate.value == pytest.approx(expected)
    assert pair.estimate.low < expected < pair.estimate.high


def test_a_constant_measure_has_no_correlation_and_says_why(make_scores) -> None:
    (pair,) = gather(make_scores({"ifd": [1.0] * 5, "one_shot": [0, 1, 2, 3, 4]}), []).correlations
    assert pair.estimate is None
    assert "All 5 first values are equal" in pair.why


def test_tasks_stand_by_size_and_those_without_one_last(make_scores) -> None:
    tasks = ["small", None, "large", "large", None, None, None]
    scores = make_scores({"ifd": [0.1, 0.2, 0.3, 0.5, 0.5, "no_peer", 0.6]}, tasks=tasks)
    found = gather(scores, []).tasks
    assert [(task.task, task.n) for task in found] == [("large", 2), ("small", 1), (None, 4)]
    assert found[0].spreads["ifd"].mean.value == pytest.approx(0.4)
    assert found[2].spreads["ifd"].mean.n == 3
    assert gather(make_scores({"ifd": [0.1]}), []).tasks == ()


def test_no_example_stands_at_both_ends(make_scores) -> None:
    for n in range(1, 9):
        values = [float(-at) for at in range(n)]
        ends = gather(make_scores({"one_shot": values}), []).ends["one_shot"]
        low, high = ([sight.value for sight in side] for side in (ends.lowest, ends.highest))
        assert len(low) + len(high) == min(n, 2 * SHOWN)
        assert low == sorted(values)[: len(low)]
        assert high == sorted(values, reverse=True)[: len(high)]


def test_ends_show_the_texts_of_the_set(make_scores) -> None:
    facts = gather(make_scores({"ifd": [0.1, 0.2, "no_peer"]}, questions=["a", "b", "c"]), [])
    sight = facts.ends["ifd"].lowest[0]
    assert sight.turns == (("user", "a"), ("assistant", "answer 0"))
    assert sight.where.endswith("set.jsonl:1")
    assert facts.remark is None


def test_a_lost_data_set_is_said_and_the_rest_goes_on(make_scores) -> None:
    scores = make_scores({"ifd": [0.1, 0.2]})
    Path(scores.card["data"]).unlink()
    facts = gather(scores, [])
    assert "cannot be read" in facts.remark.en
    assert facts.ends["ifd"].lowest[0].turns == ()
    assert facts.measure("ifd").account.scored == 2


def test_a_changed_data_set_is_said_and_what_is_left_is_shown(make_scores) -> None:
    scores = make_scores({"ifd": [0.1, 0.2]})
    path = Path(scores.card["data"])
    path.write_text(path.read_text().replace("question 1", "question x"))
    facts = gather(scores, [])
    assert "1 of the 2 examples" in facts.remark.en
    assert [
        bool(sight.turns) for sight in (*facts.ends["ifd"].lowest, *facts.ends["ifd"].highest)
    ] == [True, False]


def test_a_card_without_measures_is_refused(make_scores) -> None:
    scores = make_scores({"ifd": [0.1]})
    del scores.card["measures"]
    with pytest.raises(RunError, match="names no measures"):
        gather(scores, [])


def test_two_models_are_compared_example_by_example(make_scores) -> None:
    random = np.random.default_rng(2)
    a = random.lognormal(1, 0.5, size=40)
    b = a * np.exp(0.1 + 0.05 * random.standard_normal(40))
    first = make_scores({"response_ppl": a.tolist(), "ifd": [0.5] * 40}, name="a")
    second = make_scores({"response_ppl": b.tolist()}, name="b")
    (found,) = gather(first, [second]).comparisons
    assert (found.a, found.b, found.n_common) == ("folder/a", "folder/b", 40)
    (paired,) = found.measures
    change = np.log(b / a)
    assert paired.is_log
    assert paired.difference.value == pytest.approx(change.mean())
    ends = stats.t.interval(0.95, 39, change.mean(), stats.sem(change))
    assert (paired.difference.low, paired.difference.high) == pytest.approx(ends)
    assert paired.correlation.estimate.value == pytest.approx(stats.spearmanr(a, b).statistic)
    top = [set(np.argsort(values)[-8:]) for values in (a, b)]
    assert paired.top.value == pytest.approx(len(top[0] & top[1]) / 8)


def test_examples_are_paired_by_content_and_not_by_place(make_scores) -> None:
    questions = [f"q{n}" for n in range(5)]
    a = make_scores({"ifd": [1, 2, 3, 4, 5]}, name="a", questions=questions)
    b = make_scores({"ifd": [1, 2, 3, 4, 5]}, name="b", questions=questions)
    b.rows.reverse()
    del b.rows[0]
    (found,) = gather(a, [b]).comparisons
    assert (found.n_common, found.n_only_a, found.n_only_b) == (4, 1, 0)
    assert found.measures[0].a.tolist() == found.measures[0].b.tolist() == [1, 2, 3, 4]
    assert found.measures[0].is_same


def test_what_makes_two_scorings_hard_to_compare_is_said(make_scores) -> None:
    a = make_scores({"ifd": [0.5, 0.6]}, name="a")
    b = make_scores(
        {"ifd": [0.5, 0.6]}, name="b", data="other", questions=["x", "y"],
        data_hash="e", prompts_hash="q", tokenizer_hash="t",
    )  # fmt: skip
    b.card["measures"]["ifd"]["reading"]["source"] = "another ratio"
    (found,) = gather(a, [b]).comparisons
    said = " ".join(remark.en for remark in found.remarks)
    for words in ("no example in common", "different data", "prompts differ", "tokenizers differ"):
        assert words in said
    assert "ifd was computed in two ways (ratio; another ratio)" in said
    assert found.measures == ()


def test_both_sides_of_the_neutral_value_are_counted() -> None:
    a, b = np.array([0.5, 0.5, 0.5, 1.5, 1.5]), np.array([0.4, 0.6, 1.0, 0.9, 2.0])
    found = agreement_of(a, b, 1.0, "ratio")
    assert (found.side, found.n_both, found.n_only_a) == ("below", 2, 1)
    assert (found.n_only_b, found.n_neither, found.shared) == (1, 1, wilson(2, 3))
    assert agreement_of(-a, b, 0.0, "score").shared is None, "none of the first is above 0"


def test_ties_at_the_border_of_the_top_count_in_part() -> None:
    a = np.array([5.0] * 10)
    assert top_overlap(a, a).value == pytest.approx(0.2), "by chance, as nothing tells them apart"
    ordered = np.arange(10.0)
    assert top_overlap(ordered, ordered).value == 1
    assert top_overlap(ordered, -ordered).value == 0
    assert top_overlap(a, ordered).value == pytest.approx(0.2)
    assert top_overlap(ordered[:4], ordered[:4]) is None, "a fifth of four is no example"


def test_models_named_alike_are_told_apart_by_their_folders(make_scores) -> None:
    a, b = (make_scores({"ifd": [0.5]}, name=name, model="m") for name in "ab")
    assert labels([a, b]) == ["m (a)", "m (b)"]
    assert labels([a, a]) == ["m (a, 1)", "m (a, 2)"]
    assert labels([make_scores({"ifd": [0.5]}, model="m", adapter="x")]) == ["m + x"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (12.345, "perplexity", "12.3"),
        (12345.6, "perplexity", "12,350"),
        (0.98765, "ratio", "0.988"),
        (1.0, "ratio", "1"),
        (-0.0001, "score", "0.000"),
        (-0.25, "score", "−0.250"),
        (0.123, "share", "12.3%"),
        (-0.00001, "share", "0.0%"),
        (299.04, "tokens", "299"),
        (18.79, "tokens", "18.8"),
        (1234.0, "tokens", "1,234"),
    ],
)
def test_numbers_read_as_their_unit_asks(value: float, unit: str, text: str) -> None:
    assert value_text(value, unit) == text


def test_a_difference_of_logarithms_says_its_factor() -> None:
    change = Estimate(0.1, 0.05, 0.15, 0.95, "t", 9, unit="")
    assert difference_text(change, "perplexity", is_log=True) == "+0.100 [0.050, 0.150] ×1.105"
    assert math.exp(0.1) == pytest.approx(1.105, abs=1e-3)
    assert estimate_text(Estimate(0.5, None, None, 0.95, "none", 1), "share") == "50.0%"
