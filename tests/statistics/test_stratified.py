"""A mean over strata weighs them as asked, and its interval holds the true mean when it should."""

from __future__ import annotations

import numpy as np
import pytest

from tuneval.errors import StatisticsError
from tuneval.statistics.stratified import as_plain_mean, stratified_mean

# Cochran (1977), section 5.3: the mean is the sum of W_h mean_h, and its variance that of
# W_h^2 s_h^2 / n_h (1 - n_h / N_h).
VALUES = [1.0, 3.0, 5.0, 10.0, 14.0]
STRATA = ["a", "a", "a", "b", "b"]


def reach(estimate) -> float:
    return (estimate.high - estimate.low) / 2


def welch(*parts):
    """Degrees of freedom of a sum of (variance, n - 1), from estimated variances: Welch (1947)."""
    total = sum(v for v, _ in parts) ** 2 / sum(v**2 / (n + 2) for v, n in parts) - 2
    return min(total, sum(n for _, n in parts))


def test_mean_and_variance_are_cochrans():
    from scipy.stats import t

    found = stratified_mean(VALUES, STRATA, weights={"a": 30, "b": 10}, sizes={"a": 30, "b": 10})
    assert found.value == pytest.approx(0.75 * 3 + 0.25 * 12)
    a, b = 0.75**2 * 4 / 3 * (1 - 3 / 30), 0.25**2 * 8 / 2 * (1 - 2 / 10)
    freedom = welch((a, 2), (b, 1))
    assert reach(found) == pytest.approx(t.ppf(0.975, freedom) * (a + b) ** 0.5)


def test_without_sizes_nothing_is_taken_off_the_variance():
    from scipy.stats import t

    found = stratified_mean(VALUES, STRATA, weights={"a": 1, "b": 1})
    assert found.value == pytest.approx(7.5)
    a, b = 0.25 * 4 / 3, 0.25 * 8 / 2
    assert reach(found) == pytest.approx(t.ppf(0.975, welch((a, 2), (b, 1))) * (a + b) ** 0.5)


def test_what_was_asked_whole_is_known():
    found = stratified_mean(VALUES, STRATA, weights={"a": 3, "b": 2}, sizes={"a": 3, "b": 2})
    assert found.low == found.value == found.high == pytest.approx(6.6)


def test_one_stratum_is_a_simple_sample():
    from tuneval.statistics.mean import t_mean

    ours = stratified_mean(VALUES, ["all"] * 5, weights={"all": 1})
    theirs = t_mean(VALUES)
    assert (ours.value, ours.low, ours.high) == pytest.approx(
        (theirs.value, theirs.low, theirs.high)
    )


def test_one_stratum_of_right_and_wrong_is_close_to_wilson():
    from tuneval.statistics.proportion import wilson

    values = [1.0] * 70 + [0.0] * 30
    ours = stratified_mean(values, ["all"] * 100, weights={"all": 1}, is_share=True)
    theirs = wilson(70, 100)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.003)


def test_items_of_one_passage_count_as_one_draw():
    values = [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]
    alone = stratified_mean(values, ["s"] * 8, weights={"s": 1}, is_share=True)
    pairs = [n // 2 for n in range(8)]
    together = stratified_mean(values, ["s"] * 8, weights={"s": 1}, clusters=pairs, is_share=True)
    assert together.n_clusters == 4
    assert reach(together) > 1.3 * reach(alone)


def test_a_stratum_of_one_item_borrows_the_others_variance():
    from scipy.stats import t

    lone = stratified_mean([*VALUES, 7.0], [*STRATA, "c"], weights={"a": 1, "b": 1, "c": 1})
    pooled = (3 * 4 + 2 * 8) / 5  # the strata's variances are 4 and 8
    variance = (4 / 3 + 8 / 2 + pooled) / 9
    parts = ((4 / 3 + 3 * 4 / 5) / 9, 2), ((8 / 2 + 2 * 8 / 5) / 9, 1)
    assert sum(v for v, _ in parts) == pytest.approx(variance)
    assert reach(lone) == pytest.approx(t.ppf(0.975, welch(*parts)) * variance**0.5)
    each_alone = stratified_mean([0.0, 1.0, 1.0], "abc", weights=dict.fromkeys("abc", 1.0))
    assert each_alone.low is not None
    assert each_alone.low < 0.3


def test_all_right_still_has_an_interval_and_one_item_has_none():
    right = stratified_mean(
        [1.0] * 6, list("aabbcc"), weights=dict.fromkeys("abc", 1), is_share=True
    )
    assert right.high == 1.0
    assert right.low < 0.7
    assert stratified_mean([1.0], ["a"], weights={"a": 1}).low is None
    assert stratified_mean([2.0] * 4, list("aabb"), weights=dict.fromkeys("ab", 1)).low is None


def test_what_cannot_be_is_refused():
    with pytest.raises(StatisticsError):
        stratified_mean([1.0, 0.0], ["a"], weights={"a": 1})
    with pytest.raises(StatisticsError, match="2 items of a stratum of 1"):
        stratified_mean([1.0, 0.0], ["a", "a"], weights={"a": 1}, sizes={"a": 1})


@pytest.mark.parametrize(
    ("n_strata", "per_stratum", "is_share"),
    [(4, 20, True), (10, 5, True), (10, 2, True), (4, 20, False), (10, 3, False)],
)
def test_intervals_hold_the_mean_of_the_whole_set_and_of_its_kind(n_strata, per_stratum, is_share):
    rng = np.random.default_rng(7)
    centres = rng.uniform(0.3, 0.9, n_strata)
    sizes = {h: int(rng.integers(60, 200)) for h in range(n_strata)}
    strata = np.repeat(np.arange(n_strata), per_stratum).tolist()
    weights = dict.fromkeys(range(n_strata), 1.0)
    n_trials, held = 1200, {"whole": 0, "kind": 0}
    for _ in range(n_trials):
        sets = [_draws(rng, centres[h], sizes[h], is_share=is_share) for h in range(n_strata)]
        values = np.concatenate([rng.choice(s, per_stratum, replace=False) for s in sets])
        whole = stratified_mean(values, strata, weights=sizes, sizes=sizes, is_share=is_share)
        kind = stratified_mean(values, strata, weights=weights, is_share=is_share)
        held["whole"] += whole.low <= np.concatenate(sets).mean() <= whole.high
        held["kind"] += kind.low <= centres.mean() <= kind.high
    for what, count in held.items():
        assert 0.935 <= count / n_trials <= 0.985, what


def _draws(rng, centre, size, *, is_share):
    return (rng.random(size) < centre) * 1.0 if is_share else rng.normal(centre, 0.5, size)


@pytest.mark.parametrize(("small", "large"), [(4, 300), (8, 60)])
def test_a_small_stratum_of_as_great_a_weight_leaves_few_degrees_of_freedom(small, large):
    rng = np.random.default_rng(8)
    strata, held, n_trials = ["few"] * small + ["many"] * large, 0, 3000
    for _ in range(n_trials):
        found = stratified_mean(
            rng.normal(0, 1, small + large), strata, weights={"few": 1, "many": 1}
        )
        held += found.low <= 0 <= found.high
    assert 0.93 <= held / n_trials <= 0.96


def test_values_for_those_who_know_no_strata_have_its_mean_and_its_error():
    from tuneval.statistics.mean import t_mean

    rng = np.random.default_rng(9)
    strata = ["a"] * 40 + ["b"] * 160
    values = rng.normal(0, 1, 200) + np.repeat([5.0, 1.0], [40, 160])
    weights = {"a": 1.0, "b": 1.0}
    plain = as_plain_mean(values, strata, weights)
    theirs, ours = stratified_mean(values, strata, weights=weights), t_mean(plain)
    assert plain.mean() == pytest.approx(theirs.value) == pytest.approx(3.0, abs=0.3)
    assert reach(ours) == pytest.approx(reach(theirs), rel=0.02)
    assert as_plain_mean(values, ["s"] * 200, {"s": 1}).mean() == pytest.approx(values.mean())
