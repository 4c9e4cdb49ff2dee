"""What more items or more runs would show: the formulas, and a simulation of what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm, ttest_ind

from tuneval.errors import StatisticsError
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.repeats import (
    items_needed,
    runs_needed,
    smallest_difference,
    standard_error,
)
from tuneval.statistics.variance import VarianceParts


def parts(*, items=0.02, run=0.01, interaction=0.015, n=400, n_runs=5) -> VarianceParts:
    def of(value: float) -> Estimate:
        return Estimate(value, None, None, 0.95, "given", n)

    return VarianceParts(
        (0.5,) * n_runs, of(math.hypot(run, interaction)), of(items), of(run), of(interaction), n,
        None,
    )  # fmt: skip


def test_the_error_is_the_sum_of_the_parts_each_by_its_own_number() -> None:
    # Of 400 items: 0.02² + 0.01² + 0.015²; of 1600 in 4 runs: a quarter, a quarter, a sixteenth.
    assert standard_error(parts(), n_items=400, n_runs=1) ** 2 == pytest.approx(7.25e-4)
    assert standard_error(parts(), n_items=1600, n_runs=4) ** 2 == pytest.approx(
        1e-4 + 2.5e-5 + 2.25e-4 / 16
    )


@pytest.mark.parametrize("items", ["shared", "separate"])
def test_the_needed_number_is_the_least_that_reveals_the_difference(items) -> None:
    n = items_needed(0.04, parts(), n_runs=5, items=items)
    assert smallest_difference(parts(), n_items=n, n_runs=5, items=items) <= 0.04
    assert smallest_difference(parts(), n_items=n - 1, n_runs=5, items=items) > 0.04
    r = runs_needed(0.085, parts(), n_items=400, items=items)
    assert smallest_difference(parts(), n_items=400, n_runs=r, items=items) <= 0.085
    if r > 1:
        assert smallest_difference(parts(), n_items=400, n_runs=r - 1, items=items) > 0.085


def test_no_number_of_items_outweighs_the_run_and_no_number_of_runs_the_items() -> None:
    assert items_needed(0.01, parts(run=0.02), n_runs=2, items="shared") is None
    assert runs_needed(0.02, parts(), n_items=400, items="separate") is None
    with pytest.raises(StatisticsError, match="difference of 0"):
        items_needed(0.0, parts(), n_runs=2, items="shared")


@pytest.mark.parametrize("n_runs", [2, 3, 5])
def test_the_smallest_difference_is_found_four_times_out_of_five(n_runs) -> None:
    """By a t test on the scores of the two models' runs, as one would make it."""
    random, given, rounds = np.random.default_rng(2), parts(), 20_000
    size = smallest_difference(given, n_items=400, n_runs=n_runs, items="shared")
    scores = random.normal(0, given.between_runs.value, (rounds, 2, n_runs))
    scores[:, 1] += size
    found = ttest_ind(scores[:, 0], scores[:, 1], axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.01)


def test_with_other_items_it_is_found_at_least_so_often() -> None:
    random, given, rounds = np.random.default_rng(3), parts(), 20_000
    size = smallest_difference(given, n_items=400, n_runs=5, items="separate")
    error = math.sqrt(2) * standard_error(given, n_items=400, n_runs=5)
    draws = random.normal(size, error, rounds)
    assert 0.8 <= (np.abs(draws) > norm.ppf(0.975) * error).mean() <= 0.85


def test_one_run_of_each_does_not_show_its_own_spread() -> None:
    assert smallest_difference(parts(), n_items=400, n_runs=1, items="shared") == math.inf
    assert runs_needed(1.0, parts(), n_items=400, items="shared") == 2
    calm = parts(run=0.0, interaction=0.0)
    assert smallest_difference(calm, n_items=400, n_runs=1, items="shared") == 0
