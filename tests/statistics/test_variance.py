"""The spread of repeated runs, split into items, run and what is left, as the textbook has it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tuneval.errors import StatisticsError
from tuneval.statistics.variance import (
    variance_difference_limits,
    variance_limits,
    variance_parts,
)


def made(random, *, n_items, n_runs, item=1.0, run=0.0, rest=1.0):
    """A layout of normal effects with these standard deviations."""
    return (
        random.normal(0, item, n_items)[:, None]
        + random.normal(0, run, n_runs)
        + random.normal(0, rest, (n_items, n_runs))
    )


def test_the_parts_are_those_of_the_two_way_analysis_of_variance() -> None:
    random = np.random.default_rng(3)
    y = made(random, n_items=40, n_runs=6, item=2.0, run=1.0)
    n, r = y.shape
    # Mean squares as sums over the layout: Searle, Casella, McCulloch, "Variance components", 4.
    of_item = r * ((y.mean(1) - y.mean()) ** 2).sum() / (n - 1)
    of_run = n * ((y.mean(0) - y.mean()) ** 2).sum() / (r - 1)
    rest = y - y.mean(1, keepdims=True) - y.mean(0) + y.mean()
    of_rest = (rest**2).sum() / ((n - 1) * (r - 1))
    parts = variance_parts(y, seed=1, n_resamples=200, unit="")
    assert parts.items.value**2 * n == pytest.approx((of_item - of_rest) / r)
    assert parts.run.value**2 == pytest.approx((of_run - of_rest) / n)
    assert parts.interaction.value**2 * n == pytest.approx(of_rest)
    assert parts.between_runs.value == pytest.approx(y.mean(0).std(ddof=1))
    limits = variance_difference_limits(of_run / n, r - 1, of_rest / n, (n - 1) * (r - 1))
    assert (parts.run.low**2, parts.run.high**2) == pytest.approx(limits)
    assert parts.run_means == pytest.approx(y.mean(0))
    assert parts.mean == pytest.approx(y.mean())


def test_runs_that_are_alike_have_no_spread() -> None:
    random = np.random.default_rng(4)
    right = np.repeat((random.random(50) < 0.6).astype(float)[:, None], 4, axis=1)
    parts = variance_parts(right, seed=1, n_resamples=200)
    assert parts.between_runs.value == parts.run.value == parts.interaction.value == 0
    assert parts.between_runs.low is None
    assert parts.items.value == pytest.approx(right[:, 0].std(ddof=1) / math.sqrt(50))


def test_what_shifts_all_items_alike_is_the_run_part_alone() -> None:
    random = np.random.default_rng(5)
    shifts = np.array([0.0, 1.0, 3.0])
    parts = variance_parts(random.normal(size=30)[:, None] + shifts, seed=1, n_resamples=200)
    assert parts.interaction.value == pytest.approx(0, abs=1e-7)
    assert parts.run.value == pytest.approx(shifts.std(ddof=1))
    assert parts.run.low == pytest.approx(parts.between_runs.low)


def test_items_that_stand_in_a_cluster_often_buy_no_certainty() -> None:
    random = np.random.default_rng(6)
    y = made(random, n_items=25, n_runs=4, run=0.3)
    once = variance_parts(y, seed=1, n_resamples=300, unit="")
    often = variance_parts(
        np.repeat(y, 3, axis=0),
        seed=1,
        clusters=np.repeat(np.arange(25), 3).tolist(),
        n_resamples=300,
        unit="",
    )
    for part in ("items", "run", "interaction", "between_runs"):
        assert getattr(often, part).value == pytest.approx(getattr(once, part).value)
        assert getattr(often, part).high == pytest.approx(getattr(once, part).high, rel=1e-6)
    assert often.n_clusters == 25


def test_the_limits_of_a_variance_are_the_worked_example() -> None:
    # NIST/SEMATECH e-Handbook 1.3.5.8, gear diameters: s = 0.00628 of 100; chi-square limits
    # (n - 1) s² / 128.422 and / 73.361 there; for s: 0.00551 and 0.00730.
    low, high = variance_limits(0.006278908**2, 99)
    assert math.sqrt(low) == pytest.approx(0.00551, abs=5e-6)
    assert math.sqrt(high) == pytest.approx(0.00729, abs=1.5e-5)


def test_without_noise_the_limits_of_the_difference_are_by_chi_square() -> None:
    assert variance_difference_limits(3.0, 4, 0.0, 90) == pytest.approx(variance_limits(3.0, 4))


@pytest.mark.parametrize("freedoms", [(1, 30), (4, 60), (9, 9)])
def test_the_lower_limit_is_above_zero_just_where_the_f_test_rejects(freedoms) -> None:
    critical = stats.f.ppf(0.975, *freedoms)
    assert variance_difference_limits(critical, freedoms[0], 1.0, freedoms[1])[0] == pytest.approx(
        0, abs=1e-9
    )
    assert variance_difference_limits(critical * 1.01, freedoms[0], 1.0, freedoms[1])[0] > 0
    assert variance_difference_limits(critical * 0.99, freedoms[0], 1.0, freedoms[1])[0] < 0


@pytest.mark.parametrize("run", [0.0, 0.05, 0.4])
def test_the_interval_of_the_run_part_covers_it(run: float) -> None:
    random = np.random.default_rng(round(100 * run))
    rounds, n, r = 3_000, 60, 5
    noise = 1 / n  # of a run's mean, by items of their own
    spread = (run**2 + noise) * random.chisquare(r - 1, rounds) / (r - 1)
    seen = noise * random.chisquare((n - 1) * (r - 1), rounds) / ((n - 1) * (r - 1))
    covered = 0
    for first, second in zip(spread, seen, strict=True):
        low, high = variance_difference_limits(first, r - 1, second, (n - 1) * (r - 1))
        covered += max(0.0, low) <= run**2 <= max(0.0, high)
    # Where nothing is there, limits below 0 are 0, and only one side can err.
    assert covered / rounds == pytest.approx(0.975 if run == 0 else 0.95, abs=0.012)


def test_every_part_is_covered_for_right_and_wrong_answers() -> None:
    """Binary items of their own difficulty, and runs that are better or worse as a whole."""
    random = np.random.default_rng(12)
    n, r, rounds, sd = 120, 5, 250, 0.03
    covered = dict.fromkeys(("between_runs", "run", "items"), 0)
    for _ in range(rounds):
        hard = random.uniform(0.1, 0.9, n)[:, None]
        y = (random.random((n, r)) < np.clip(hard + random.normal(0, sd, r), 0, 1)).astype(float)
        parts = variance_parts(y, seed=1, n_resamples=400)
        # Var of a uniform on 0.1 to 0.9; what is left is the mean of p (1 - p).
        true = {
            "run": sd,
            "items": math.sqrt(0.8**2 / 12 / n),
            "between_runs": math.sqrt(sd**2 + (0.25 - 0.8**2 / 12) / n),
        }
        for name, value in true.items():
            found = getattr(parts, name)
            covered[name] += found.low <= value <= found.high
    assert {name: count / rounds for name, count in covered.items()} == pytest.approx(
        dict.fromkeys(covered, 0.95), abs=0.04
    )


def test_one_run_or_one_group_shows_nothing() -> None:
    with pytest.raises(StatisticsError, match="at least two runs"):
        variance_parts([[1.0], [0.0]], seed=1)
    with pytest.raises(StatisticsError, match="one group alone"):
        variance_parts([[1.0, 0.0], [0.0, 1.0]], seed=1, clusters=["g", "g"])
    with pytest.raises(StatisticsError, match="finite value in every run"):
        variance_parts([[1.0, float("nan")], [0.0, 1.0]], seed=1)
