from __future__ import annotations

import json
import math

import pytest

from tuneval.statistics.estimate import Estimate

SHARE = Estimate(0.624, 0.598, 0.649, 0.95, "Wilson", 1319)


def test_an_estimate_is_shown_with_interval_and_number_of_items() -> None:
    assert str(SHARE) == "62.4% [59.8, 64.9], n=1319"


def test_an_estimate_survives_json() -> None:
    assert Estimate.from_dict(json.loads(json.dumps(SHARE.as_dict()))) == SHARE


def test_an_estimate_without_interval_excludes_nothing() -> None:
    lone = Estimate(1.0, None, None, 0.95, "none: one item", 1)
    assert not lone.excludes(0.0)
    assert str(lone) == "100.0%, n=1"


def test_mean_loss_maps_to_perplexity_with_its_interval() -> None:
    loss = Estimate(1.0, 0.9, 1.2, 0.95, "Student t", 10, unit="")
    perplexity = loss.mapped(math.exp)
    assert (perplexity.value, perplexity.low, perplexity.high) == pytest.approx(
        (math.e, math.exp(0.9), math.exp(1.2))
    )
