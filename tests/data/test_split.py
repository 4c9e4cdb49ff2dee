from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneval.data.cutting.division import Division, halves, parse_parts
from tuneval.data.example import Example, Message, Source
from tuneval.data.split import position, split
from tuneval.errors import UsageError


def example(text: str, group: str | None = None) -> Example:
    """A conversation with that question."""
    return Example((Message("user", text), Message("assistant", "b")), Source("f", 1), group)


rows = st.lists(
    st.tuples(st.text(max_size=5), st.none() | st.sampled_from("abcdefgh")), max_size=30
)
MANY = [example(str(i), f"g{i // 3}") for i in range(3000)]


@settings(deadline=None)
@given(rows, rows, st.integers(0, 5), st.sampled_from([0.1, 0.25, 0.5]))
def test_adding_records_moves_none(
    old: list[tuple[str, str | None]], new: list[tuple[str, str | None]], seed: int, share: float
) -> None:
    before = [example(*row) for row in old]
    after = [example(*row) for row in new] + before
    small, large = split(before, share, seed=seed), split(after, share, seed=seed)
    assert small.train == large.train[len(large.train) - len(small.train) :]
    assert small.held_out == large.held_out[len(large.held_out) - len(small.held_out) :]
    assert len(large.train) + len(large.held_out) == len(after)


@settings(deadline=None)
@given(rows)
def test_a_group_is_never_torn(content: list[tuple[str, str | None]]) -> None:
    sides = split([example(*row) for row in content], 0.5)
    trained = {e.group for e in sides.train if e.group}
    assert not trained & {e.group for e in sides.held_out if e.group}


def test_about_the_asked_share_is_held_out() -> None:
    # 1000 groups: the standard error of the share is sqrt(.25 * .75 / 1000) = 1.4 %.
    assert len(split(MANY, 0.25).held_out) / len(MANY) == pytest.approx(0.25, abs=0.05)


def test_a_larger_share_keeps_what_a_smaller_one_held_out() -> None:
    small = {e.id for e in split(MANY, 0.1).held_out}
    assert small < {e.id for e in split(MANY, 0.3).held_out}


def test_another_seed_holds_out_others() -> None:
    assert split(MANY, seed=1).held_out != split(MANY, seed=2).held_out


def test_sides_are_the_same_on_every_machine() -> None:
    # sha256sum of "17 group g3" begins with a number below a quarter of its range, and so on.
    held = [e.group for e in split([example("x", f"g{i}") for i in range(20)], 0.25).held_out]
    assert held == ["g3", "g10", "g11", "g14", "g15", "g17", "g18", "g19"]


def test_without_a_group_copies_stay_together() -> None:
    copies = [example("same") for _ in range(5)]
    assert 5 in map(len, (split(copies).train, split(copies).held_out))


def test_copies_in_different_groups_are_reported() -> None:
    copies = [example("same", f"g{i}") for i in range(40)]
    assert split(copies).on_both_sides == (copies[0].id,)
    assert split(copies, by="id").on_both_sides == ()


@pytest.mark.parametrize("share", [-0.1, 1, 1.5])
def test_an_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(UsageError):
        split([], share)


@given(st.floats(0, 1, exclude_max=True), st.floats(0.01, 0.99))
def test_two_parts_are_the_two_sides(place: float, held_out: float) -> None:
    assert Division(parts=halves(held_out)).part_at(place) == int(place < held_out)


@given(st.integers(), st.sampled_from(["train=0.5,valid=0.25,test=0.25", "train=0.75,test=0.25"]))
def test_the_last_part_holds_what_the_held_out_side_would(number: int, parts: str) -> None:
    division = Division(parts=parse_parts(parts))
    place = position(f"id {number}", 17)
    assert (division.names[division.part_at(place)] == "test") == (place < 0.25)


def test_every_part_gets_its_share_of_the_places() -> None:
    division = Division(parts={"a": 0.5, "b": 0.3, "c": 0.2})
    found = [division.part_at((i + 0.5) / 1000) for i in range(1000)]
    assert [found.count(part) for part in range(3)] == [500, 300, 200]


def test_one_part_can_have_the_rest() -> None:
    assert parse_parts("train=rest, valid=0.1,test=0.1") == {
        "train": 0.8,
        "valid": 0.1,
        "test": 0.1,
    }


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ("train=0.8,test=0.1", "sum to 0.9"),
        ("train=0.5,train=0.5", "stands twice"),
        ("train", "no NAME=SHARE"),
        ("train=half,test=0.5", "no number"),
        ("train=rest,test=rest", "Only one part"),
        ("train=1.5,test=-0.5", "makes no sense"),
        ("train=nan,test=0.5", "makes no sense"),
        ("train=1", "makes no sense"),
        ("../train=0.5,test=0.5", "cannot be called"),
        ("seed=0.5,test=0.5", "cannot be called"),
    ],
)
def test_parts_that_make_no_sense_are_refused_with_the_reason(parts: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Division(parts=parse_parts(parts))
