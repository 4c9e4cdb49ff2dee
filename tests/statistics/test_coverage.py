"""Every kind of interval holds the true value about as often as it promises.

A case draws data whose truth is known, and gives the interval and the truth. Of 60 rounds one can
tell gross faults; the slow test has 1,000.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom, norm

from tuneval.statistics.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha
from tuneval.statistics.auc import auc
from tuneval.statistics.bootstrap import bootstrap
from tuneval.statistics.bradley_terry import Game, bradley_terry
from tuneval.statistics.correlation import pearson, spearman
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.mean import bootstrap_mean, ratio_mean, t_mean
from tuneval.statistics.paired import paired_difference
from tuneval.statistics.paired_strata import paired_strata_comparison
from tuneval.statistics.paired_sums import paired_sums_comparison
from tuneval.statistics.proportion import clustered_wilson, wilson
from tuneval.statistics.stratified import stratified_mean
from tuneval.statistics.variance import variance_parts

RESAMPLES = 1_000
Case = Callable[[np.random.Generator], tuple[Estimate, float]]
KEYS = np.repeat(np.arange(60), 5).tolist()


def share(random):
    return wilson(int(random.binomial(300, 0.7)), 300), 0.7


def share_of_clusters(random):
    chance = random.beta(7, 3, 60)
    right = (random.random(300) < np.repeat(chance, 5)).astype(float)
    return clustered_wilson(right, clusters=KEYS), 0.7


def mean(random):
    return t_mean(random.normal(3, 2, 40)), 3.0


def mean_of_clusters(random):
    values = np.repeat(random.normal(3, 1, 60), 5) + random.normal(0, 1, 300)
    return t_mean(values, clusters=KEYS), 3.0


def skewed_mean_by_bootstrap(random):
    return bootstrap_mean(random.gamma(2, 1, 100), seed=1, n_resamples=RESAMPLES), 2.0


def ratio(random):
    tokens = random.integers(5, 40, 150).astype(float)
    return ratio_mean(tokens * random.gamma(4, 0.5, 150), tokens), 2.0


def ratio_by_bootstrap(random):
    tokens = random.integers(5, 40, 150).astype(float)
    columns = np.column_stack([tokens * random.gamma(4, 0.5, 150), tokens])
    return bootstrap(columns, lambda s: s[..., 0] / s[..., 1], seed=1, n_resamples=RESAMPLES), 2.0


def strata(random):
    sizes = {"a": 60, "b": 90, "c": 150}
    names = [name for name, n in sizes.items() for _ in range(n)]
    right = np.concatenate(
        [
            (random.random(n) < p).astype(float)
            for n, p in zip(sizes.values(), (0.8, 0.5, 0.6), strict=True)
        ]
    )
    found = stratified_mean(
        right.tolist(), names, weights=dict.fromkeys(sizes, 1.0), sizes=None, clusters=None,
        is_share=True, unit="share",
    )  # fmt: skip
    return found, (0.8 + 0.5 + 0.6) / 3


SUBJECTS = {"a": 8, "b": 40, "c": 100}


def macro_mean(random):
    names = [name for name, n in SUBJECTS.items() for _ in range(n)]
    values = _of_subjects(random, [1, 2, 3])
    return stratified_mean(values, names, weights=dict.fromkeys(SUBJECTS, 1.0)), 2.0


def _of_subjects(random, means):
    """The smallest has the largest spread."""
    of_each = zip(means, (2, 1, 1), SUBJECTS.values(), strict=True)
    return np.concatenate([random.normal(*subject) for subject in of_each])


def difference_of_macro_means(random):
    names = [name for name, n in SUBJECTS.items() for _ in range(n)]
    change = _of_subjects(random, [1, 0, -0.4])
    found = paired_strata_comparison(
        np.zeros(len(names)),
        change,
        names,
        weights=dict.fromkeys(SUBJECTS, 1.0),
        binary=False,
        seed=1,
    )
    return found.difference, 0.2


def difference_of_macro_shares(random):
    sizes = {"a": 30, "b": 60, "c": 150}
    names = [name for name, n in sizes.items() for _ in range(n)]
    gained, lost = np.array([0.3, 0.1, 0.15]), np.array([0.1, 0.1, 0.2])
    draws = random.random(len(names))
    stratum = np.repeat(range(3), list(sizes.values()))
    up, down = draws < gained[stratum], draws > 1 - lost[stratum]
    first = np.where(up, 0.0, np.where(down, 1.0, random.random(len(names)) < 0.5))
    second = np.where(up, 1.0, np.where(down, 0.0, first))
    found = paired_strata_comparison(
        first, second, names, weights=dict.fromkeys(sizes, 1.0), binary=True, seed=1
    )
    return found.difference, float((gained - lost).mean())


def area_under_the_curve(random):
    scores = np.concatenate([random.normal(1, 1, 60), random.normal(0, 1, 140)])
    return auc(scores, [True] * 60 + [False] * 140), float(norm.cdf(1 / math.sqrt(2)))


def _answers(random, n):
    draws = random.random(n)
    first = (random.random(n) < 0.6) * 1.0
    first[draws < 0.15] = 0.0
    first[draws > 0.92] = 1.0
    second = first.copy()
    second[draws < 0.15] = 1.0
    second[draws > 0.92] = 0.0
    return first, second


def difference_of_shares(random):
    found = paired_difference(*_answers(random, 300), binary=True, seed=1)
    return found, 0.15 - 0.08


def difference_of_shares_in_clusters(random):
    lean = np.repeat(random.normal(0, 0.7, 60), 5)
    first = (random.random(300) < 0.5).astype(float)
    second = (random.normal(size=300) + lean > -0.3).astype(float)
    true = norm.cdf(0.3 / math.hypot(1, 0.7)) - 0.5
    return paired_difference(first, second, binary=True, seed=1, clusters=KEYS), float(true)


def difference_of_means(random):
    first = random.beta(2, 3, 120)
    second = 0.6 * first + 0.4 * random.beta(3, 2, 120)
    # What paired_difference gives, with fewer resamples.
    found = bootstrap_mean(second - first, seed=1, n_resamples=RESAMPLES)
    return found, 0.4 * (3 / 5 - 2 / 5)


def difference_of_ratios(random):
    tokens = random.integers(5, 40, 120).astype(float)
    a = np.column_stack([tokens * random.gamma(4, 0.5, 120), tokens])
    b = np.column_stack([tokens * random.gamma(4, 0.4, 120), tokens])
    found = paired_sums_comparison(
        a, b, lambda s: s[..., 0] / s[..., 1], seed=1, n_resamples=RESAMPLES
    )
    return found.difference, -0.4


def _normal_pairs(random, n, rho=0.5):
    x = random.normal(size=n)
    return x, rho * x + math.sqrt(1 - rho**2) * random.normal(size=n)


def correlation(random):
    return pearson(*_normal_pairs(random, 60)), 0.5


def rank_correlation(random):
    return spearman(*_normal_pairs(random, 60)), 6 / math.pi * math.asin(0.25)


def _ratings(random, n, agreeing=0.6):
    first = random.integers(0, 3, n)
    return first.tolist(), np.where(
        random.random(n) < agreeing, first, random.integers(0, 3, n)
    ).tolist()


def cohen(random):
    return cohen_kappa(*_ratings(random, 120), n_resamples=RESAMPLES), 0.6


def fleiss(random):
    pairs = list(zip(*_ratings(random, 120), strict=True))
    return fleiss_kappa(pairs, n_resamples=RESAMPLES), 0.6


def krippendorff(random):
    pairs = list(zip(*_ratings(random, 120), strict=True))
    return krippendorff_alpha(pairs, n_resamples=RESAMPLES), 0.6


def strength(random):
    true = {"a": 0.4, "b": 0.0, "c": -0.4}
    games = [
        Game(i, j, float(random.random() < 1 / (1 + math.exp(true[j] - true[i]))))
        for i, j in (("a", "b"), ("b", "c"), ("a", "c"))
        for _ in range(40)
    ]
    return bradley_terry(games).difference("a", "c"), 0.8


def _repeated(random):
    values = random.normal(0, 1, 50)[:, None] + random.normal(0, 0.3, 5)
    return variance_parts(values + random.normal(0, 1, (50, 5)), seed=1, n_resamples=RESAMPLES)


def spread_between_runs(random):
    return _repeated(random).between_runs, math.sqrt(0.09 + 1 / 50)


def run_part(random):
    return _repeated(random).run, 0.3


def item_part(random):
    return _repeated(random).items, math.sqrt(1 / 50)


def interaction_part(random):
    return _repeated(random).interaction, math.sqrt(1 / 50)


CASES: list[Case] = [
    share, share_of_clusters, mean, mean_of_clusters, skewed_mean_by_bootstrap, ratio,
    ratio_by_bootstrap, strata, macro_mean, area_under_the_curve, difference_of_shares,
    difference_of_macro_means, difference_of_macro_shares,
    difference_of_shares_in_clusters, difference_of_means, difference_of_ratios, correlation,
    rank_correlation, cohen, fleiss, krippendorff, strength, spread_between_runs, run_part,
    item_part, interaction_part,
]  # fmt: skip


def covered(case: Case, rounds: int) -> int:
    random = np.random.default_rng(7)
    return sum(
        estimate.low <= true <= estimate.high
        for estimate, true in (case(random) for _ in range(rounds))
    )


def compatible(rounds: int) -> range:
    """How many of the rounds are covered where 94 to 96% are; rarer outcomes, 1 in 500, are not."""
    return range(int(binom.ppf(1e-3, rounds, 0.94)), int(binom.ppf(1 - 1e-3, rounds, 0.96)) + 1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_an_interval_covers_what_it_promises(case: Case) -> None:
    assert covered(case, 60) in compatible(60)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_an_interval_covers_what_it_promises_in_many_rounds(case: Case) -> None:
    assert covered(case, 1_000) in compatible(1_000)
