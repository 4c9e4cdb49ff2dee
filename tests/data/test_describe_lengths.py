from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.data.description.lengths import Lengths, Spread


def spread(values: list[int], **how: int) -> Spread:
    """The spread of these values."""
    lengths = Lengths(**how)
    for value in values:
        lengths.add(value)
    found = lengths.spread()
    assert found is not None
    return found


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=200))
def test_quantiles_are_those_of_numpy(values: list[int]) -> None:
    found = spread(values)
    names = {"median": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
    assert {n: getattr(found, n) for n in names} == {
        n: int(np.quantile(values, q, method="inverted_cdf")) for n, q in names.items()
    }
    assert (found.n, found.total, found.min, found.max, found.n_sampled) == (
        len(values),
        sum(values),
        min(values),
        max(values),
        None,
    )
    assert found.mean == pytest.approx(np.mean(values))


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=200))
def test_the_histogram_holds_every_value_once(values: list[int]) -> None:
    found = spread(values)
    assert sum(each.count for each in found.histogram) == len(values)
    for each in found.histogram:
        inside = [v for v in values if v >= each.low and (each.high is None or v < each.high)]
        assert each.count == len(inside)
    assert len(found.histogram) <= 32
    beyond = [each for each in found.histogram if each.high is None]
    assert all(each.low > found.p99 for each in beyond)


def test_with_too_many_different_values_a_sample_stands_for_them() -> None:
    values = [(i * 7919) % 20_000 for i in range(20_000)]
    found = spread(values, most_exact=2000)
    assert (found.n, found.n_sampled) == (20_000, 2000)
    assert (found.min, found.max, found.total) == (0, 19_999, sum(values))
    # The standard error of a sample median of 2,000 evenly spread values is 1.1 % of the range.
    assert found.median == pytest.approx(10_000, abs=900)
    assert found.p90 == pytest.approx(18_000, abs=600)


def test_a_sample_is_drawn_evenly_from_what_came_before_and_after() -> None:
    # The first 1,000 values are all different: sampling begins in the midst of them.
    values = [*range(1000), *(1_000_000 + i for i in range(1000))]
    share = sum(
        each.count
        for seed in range(20)
        for each in spread(values, most_exact=100, seed=seed).histogram
        if each.low >= 500_000
    )
    assert share / 2000 == pytest.approx(0.5, abs=0.05)


def test_no_value_has_no_spread() -> None:
    assert Lengths().spread() is None
