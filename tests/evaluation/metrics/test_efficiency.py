"""Seconds, memory and energy of answers: as measured, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tuneval.evaluation.account import account_for
from tuneval.evaluation.items import Item
from tuneval.evaluation.metrics import load_metric

NAMES = ("train_seconds", "seconds_to_first_token", "tokens_per_second", "peak_memory", "energy")


def item(number: int, **fields: Any) -> Item:
    return Item(str(number), "f:1", None, {}, "q", None, "an answer", fields=fields)


def value(items: list[Item], metric: str) -> float:
    estimate = account_for(items, metric, seed=17).estimate
    assert estimate is not None
    return estimate.value


def test_tokens_per_second_are_all_tokens_by_all_seconds() -> None:
    items = [
        item(1, seconds=1.0, n_tokens=10),
        item(2, seconds=3.0, n_tokens=90),
        replace(item(3, seconds=1.0), n_tokens=20),
    ]
    assert value(items, "tokens_per_second") == pytest.approx(120 / 5)


def test_means_maxima_and_their_intervals() -> None:
    items = [
        item(n, seconds_to_first=0.1 * n, peak_memory_bytes=1000 * n, energy_joules=2.0 * n)
        for n in range(1, 6)
    ]
    assert value(items, "seconds_to_first_token") == pytest.approx(0.3)
    assert value(items, "energy") == pytest.approx(6.0)
    peak = account_for(items, "peak_memory", seed=17).estimate
    assert peak is not None
    assert (peak.value, peak.low, peak.method) == (5000, None, "none: a maximum")
    metric = load_metric("peak_memory")
    assert metric.compare(items, items, clusters=None, seed=1) is None
    mean = account_for(items, "energy", seed=17).estimate
    assert mean is not None
    assert mean.low is not None


def test_one_training_is_one_measurement_without_an_interval() -> None:
    estimate = account_for(
        [item(n, train_seconds=61.5) for n in range(4)], "train_seconds", seed=17
    ).estimate
    assert estimate is not None
    assert (estimate.value, estimate.low) == (61.5, None)


@pytest.mark.parametrize("metric", NAMES)
def test_what_was_not_measured_is_unscored_and_no_saving(metric: str) -> None:
    result = account_for([item(1), item(2)], metric, seed=17)
    assert result.estimate is None
    assert result.higher_is_better is (metric == "tokens_per_second")
    (reason,) = result.unscored
    assert "was not measured" in reason


@pytest.mark.parametrize("wrong", ["3", True, float("nan"), float("inf"), -1.0])
def test_what_is_no_measurement_is_refused(wrong: object) -> None:
    result = account_for([item(1, energy_joules=wrong)], "energy", seed=17)
    assert result.estimate is None


def test_an_answer_in_no_time_has_no_speed() -> None:
    result = account_for([item(1, seconds=0.0, n_tokens=3)], "tokens_per_second", seed=17)
    assert list(result.unscored) == ["the answer took no measurable time"]
