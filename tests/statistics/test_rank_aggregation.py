from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.errors import StatisticsError
from tuneval.statistics.rank_aggregation import Reversal, aggregate_ranks

UP = {"x": True, "y": True, "z": True}


def table(**rows: str) -> dict[str, dict[str, float]]:
    """Values of x, y, z for each system."""
    return {
        name: dict(zip("xyz", map(float, row.split()), strict=True)) for name, row in rows.items()
    }


def test_mean_ranks_and_borda_points_by_hand() -> None:
    found = aggregate_ranks(table(a="3 3 1", b="2 2 3", c="1 1 3"), UP)
    shown = {row.name: (row.mean_rank, row.borda) for row in found.rows}
    assert [row.name for row in found.rows] == ["a", "b", "c"]
    # Ranks of a: 1 1 3; of b: 2 2 1.5; of c: 3 3 1.5.
    assert shown["a"] == (pytest.approx(5 / 3), 4.0)
    assert shown["b"] == (pytest.approx(5.5 / 3), 3.5)
    assert shown["c"] == (pytest.approx(7.5 / 3), 1.5)
    # Each criterion gives 0 + 1 + 2 points.
    assert sum(row.borda for row in found.rows) == 9


def test_where_less_is_better_the_lowest_is_first() -> None:
    found = aggregate_ranks({"a": {"loss": 2.0}, "b": {"loss": 1.0}}, {"loss": False})
    assert [(row.name, row.ranks["loss"]) for row in found.rows] == [("b", 1.0), ("a", 2.0)]


# Three of five criteria say a > b > c, two say b > c > a: Borda's own kind of example.
FIVE = dict.fromkeys("vwxyz", True)
TURNING = {
    "a": dict(zip("vwxyz", (3.0, 3.0, 3.0, 1.0, 1.0), strict=True)),
    "b": dict(zip("vwxyz", (2.0, 2.0, 2.0, 3.0, 3.0), strict=True)),
    "c": dict(zip("vwxyz", (1.0, 1.0, 1.0, 2.0, 2.0), strict=True)),
}


def test_a_third_that_turns_two_round_is_named() -> None:
    found = aggregate_ranks(TURNING, FIVE)
    assert [(row.name, row.borda) for row in found.rows] == [("b", 7.0), ("a", 6.0), ("c", 2.0)]
    assert found.reversals == (Reversal(without="c", ahead="b", behind="a"),)
    assert {row.name: (row.best, row.worst) for row in found.rows} == {
        "a": (1, 2),
        "b": (1, 2),
        "c": (2, 3),
    }


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=3, max_size=5).map(
        lambda rows: {
            name: dict(zip("vwxy", map(float, row), strict=True))
            for name, row in zip("abcde", rows, strict=False)
        }
    )
)
def test_reversals_are_those_that_trying_each_out_finds(values) -> None:
    ways = dict.fromkeys("vwxy", True)

    def ahead(names: list[str], first: str, second: str) -> bool:
        def points(name: str) -> float:
            return sum(
                (values[name][way] > values[other][way])
                + (values[name][way] == values[other][way]) / 2
                for way in ways
                for other in names
                if other != name
            )

        return points(first) > points(second)

    tried = {
        Reversal(without, first, second)
        for without, first, second in permutations(values, 3)
        if ahead(list(values), first, second)
        and ahead([name for name in values if name != without], second, first)
    }
    assert set(aggregate_ranks(values, ways).reversals) == tried


def test_an_order_of_two_has_nothing_to_leave_out() -> None:
    found = aggregate_ranks(table(a="1 1 1", b="2 2 2"), UP)
    assert found.reversals == ()
    assert [(row.best, row.worst) for row in found.rows] == [(1, 1), (2, 2)]


@pytest.mark.parametrize(
    ("values", "ways", "match"),
    [
        ({"a": {"x": 1.0}}, {"x": True}, "at least two"),
        ({"a": {"x": 1.0}, "b": {"x": 1.0}}, {}, "a criterion"),
        ({"a": {"x": 1.0}, "b": {}}, {"x": True}, "'b' has no value for 'x'"),
    ],
)
def test_what_has_no_order_is_refused(values, ways, match) -> None:
    with pytest.raises(StatisticsError, match=match):
        aggregate_ranks(values, ways)
