"""Standings claim no order that was not shown."""

from __future__ import annotations

from itertools import combinations, product

from tuneval.statistics.ranking import standings

VALUES = {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.1}


def test_without_a_difference_everyone_may_stand_anywhere() -> None:
    found = standings(VALUES, [])
    assert [each.name for each in found] == ["a", "b", "c", "d"]
    assert {(each.best_rank, each.worst_rank, each.sets) for each in found} == {(1, 4, "a")}


def test_a_tied_set_holds_those_that_are_not_told_apart() -> None:
    # The textbook's case: a and b, b and c are alike, a and c are not.
    found = {s.name: s for s in standings(VALUES, [("a", "c"), ("a", "d"), ("b", "d"), ("c", "d")])}
    assert {name: each.sets for name, each in found.items()} == {
        "a": "a", "b": "ab", "c": "b", "d": "c",
    }  # fmt: skip
    ranks = {name: (each.best_rank, each.worst_rank) for name, each in found.items()}
    assert ranks == {"a": (1, 2), "b": (1, 3), "c": (2, 3), "d": (4, 4)}


def test_where_less_is_better_the_least_stands_first() -> None:
    found = standings({"x": 3.0, "y": 1.0}, [("y", "x")], higher_is_better=False)
    assert [(each.name, each.best_rank) for each in found] == [("y", 1), ("x", 2)]


def test_two_share_a_letter_just_where_they_are_not_told_apart() -> None:
    names = list(VALUES)
    pairs = list(combinations(names, 2))
    for told in product([False, True], repeat=len(pairs)):
        different = [pair for pair, apart in zip(pairs, told, strict=True) if apart]
        sets = {each.name: set(each.sets) for each in standings(VALUES, different)}
        members = [
            {n for n in names if letter in sets[n]} for letter in sorted(set.union(*sets.values()))
        ]
        assert not any(one <= other for one in members for other in members if one is not other)
        for pair in pairs:
            assert bool(sets[pair[0]] & sets[pair[1]]) == (pair not in different)
