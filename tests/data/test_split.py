from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneval.data.example import Example, Message, Source
from tuneval.data.fingerprint import data_hash
from tuneval.data.read import read
from tuneval.data.split import split, split_file
from tuneval.data.write import write_messages
from tuneval.errors import DataError, UsageError


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


def test_split_files_hold_the_two_sides_and_an_account(tmp_path: Path) -> None:
    source, out = tmp_path / "all.jsonl", tmp_path / "out"
    write_messages(source, MANY[:120])
    account = split_file(source, out, held_out=0.25)
    train, held = list(read(out / "train.jsonl")), list(read(out / "held_out.jsonl"))
    assert {e.id for e in train} | {e.id for e in held} == {e.id for e in MANY[:120]}
    assert account == json.loads((out / "split.json").read_text())
    assert account["train"]["examples"] == len(train)
    assert account["held_out"]["data_hash"] == data_hash(held)
    assert account["share"] == len(held) / 120


def test_a_split_never_overwrites_its_source(tmp_path: Path) -> None:
    source = tmp_path / "train.jsonl"
    write_messages(source, MANY[:120])
    before = source.read_bytes()
    with pytest.raises(UsageError, match="overwrite"):
        split_file(source, tmp_path, held_out=0.25)
    assert source.read_bytes() == before


def test_an_empty_side_is_refused_and_nothing_written(tmp_path: Path) -> None:
    source = tmp_path / "all.jsonl"
    write_messages(source, MANY[:1])
    with pytest.raises(DataError, match="leaves no"):
        split_file(source, tmp_path / "out", held_out=0.25)
    assert not (tmp_path / "out").exists()
