"""How a measure is spread: of what has a value, with what has none counted."""

from __future__ import annotations

import pytest
from scored import score_row

from tuneval.scoring.selection.distribution import distribution
from tuneval.statistics.mean import t_mean

ROWS = [score_row(id, ifd=value) for id, value in zip("abcd", (0.2, 0.4, 0.9, 0.5), strict=True)]


def test_the_mean_has_students_interval_and_quantiles_interpolate() -> None:
    found = distribution([*ROWS, score_row("e", ifd="truncated")], "ifd", {})
    assert found is not None
    assert found.mean == t_mean([0.2, 0.4, 0.9, 0.5])
    assert found.quantiles == pytest.approx((0.23, 0.35, 0.45, 0.6, 0.84))
    assert found.unscored == 1


def test_examples_of_one_group_are_not_independent() -> None:
    groups = {"a": "x", "b": "x", "c": "y", "d": None}
    found = distribution(ROWS, "ifd", groups)
    assert found is not None
    assert found.mean == t_mean([0.2, 0.4, 0.9, 0.5], clusters=["x", "x", "y", None])
    assert found.mean.n_clusters == 3


def test_without_a_value_there_is_no_spread() -> None:
    assert distribution([score_row("e", ifd="truncated")], "ifd", {}) is None
    assert distribution(ROWS, "r_ifd", {}) is None
