"""Shares in whole numbers: proportional, never more than there is, none of it lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.scoring.selection.quota import allot, take

NAMES = "abcdefgh"
GROUPS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=8)


def one(_: object) -> int:
    return 1


def itself(size: int) -> int:
    return size


@pytest.mark.parametrize(
    ("total", "weights", "limits", "shares"),
    [
        (10, (50, 30, 20), (50, 30, 20), (5, 3, 2)),
        # Remainders .33 .33 .34: 100 seats for 1, 1 and 1 of 3; the tie goes by name.
        (100, (1, 1, 1), (99, 99, 99), (34, 33, 33)),
        # Quotas 4.7, 4.0, 1.3 of Hamilton's method: the seat over goes to the largest remainder.
        (10, (47, 40, 13), (47, 40, 13), (5, 4, 1)),
        # A tie of remainders (2.5, 7.5) goes to the larger weight.
        (10, (1, 3), (9, 9), (2, 8)),
        # b has only 1 of its 3: the other 2 go to a and c as 5 to 2.
        (10, (5, 3, 2), (50, 1, 50), (6, 1, 3)),
        (10, (5, 3, 2), (1, 1, 1), (1, 1, 1)),
        (0, (5, 3, 2), (9, 9, 9), (0, 0, 0)),
        (4, (5, 0), (9, 9), (4, 0)),
        (12, (5, 0), (9, 9), (9, 3)),
    ],
)
def test_shares_follow_the_largest_remainders(
    total: int, weights: tuple[int, ...], limits: tuple[int, ...], shares: tuple[int, ...]
) -> None:
    named = dict(zip(NAMES, weights, strict=False)), dict(zip(NAMES, limits, strict=False))
    assert tuple(allot(total, *named).values()) == shares


@given(GROUPS, st.integers(0, 300))
def test_no_share_is_over_its_limit_and_nothing_is_lost(
    groups: list[tuple[int, int]], total: int
) -> None:
    weights = {name: weight for name, (weight, _) in zip(NAMES, groups, strict=False)}
    limits = {name: limit for name, (_, limit) in zip(NAMES, groups, strict=False)}
    shares = allot(total, weights, limits)
    assert all(0 <= shares[name] <= limits[name] for name in weights)
    assert sum(shares.values()) == min(total, sum(limits.values()))
    backward = dict(reversed(weights.items()))
    assert allot(total, backward, limits) == shares


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.integers(0, 400))
def test_where_there_is_enough_every_share_is_its_quota_rounded(
    sizes: list[int], total: int
) -> None:
    weights = dict(zip(NAMES, sizes, strict=False))
    shares = allot(total, weights, dict.fromkeys(weights, total + 1))
    for name, weight in weights.items():
        assert abs(shares[name] - total * weight / sum(sizes)) < 1


def test_a_count_takes_the_first_of_each_group() -> None:
    groups = {"a": [1, 2, 3], "b": [4, 5]}
    assert take(groups, {"a": 2, "b": 1}, one) == {"a": [1, 2], "b": [4]}


def test_a_budget_takes_what_fits_and_never_passes_over_a_better_ranked_one() -> None:
    # a fills 8 of 10 and cannot take the 7; b fills 3 of 4; the 3 that are left buy b's next.
    groups = {"a": [5, 3, 7, 1], "b": [3, 2, 9]}
    assert take(groups, {"a": 10, "b": 4}, itself) == {"a": [5, 3], "b": [3, 2]}


def test_what_fits_into_a_share_exactly_is_not_lost_to_another_group() -> None:
    groups = {"a": [5, 5], "b": [1, 11]}
    assert take(groups, {"a": 10, "b": 7}, itself) == {"a": [5, 5], "b": [1]}


@given(
    st.lists(st.lists(st.integers(1, 20), max_size=12), min_size=1, max_size=5),
    st.integers(0, 200),
)
def test_a_budget_is_never_passed_and_left_only_where_nothing_fits(
    sizes: list[list[int]], budget: int
) -> None:
    groups = dict(zip(NAMES, sizes, strict=False))
    totals = {name: sum(group) for name, group in groups.items()}
    taken = take(groups, allot(budget, totals, totals), itself)
    spent = sum(map(sum, taken.values()))
    assert spent <= budget
    for name, group in groups.items():
        assert group[: len(taken[name])] == taken[name]
        if len(taken[name]) < len(group):
            assert group[len(taken[name])] > budget - spent
