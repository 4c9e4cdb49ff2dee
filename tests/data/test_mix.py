from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneval.data.cutting.mixture import Ingredient, Mixture, parse_ingredients
from tuneval.data.mix import Mix, mix
from tuneval.errors import DataError, UsageError


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """The rows as JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def sets(tmp_path: Path) -> dict[str, Path]:
    """Three sets of texts."""
    sizes = {"a": 40, "b": 20, "c": 8}
    return {
        name: write(tmp_path / f"{name}.jsonl", [{"text": f"{name} {i}"} for i in range(size)])
        for name, size in sizes.items()
    }


def mixed(sets: dict[str, Path], weights: dict[str, float], **how: Any) -> tuple[Mix, list[Any]]:
    """What mixing these sets by their weights gives: the account, and the rows written."""
    ingredients = [Ingredient(str(sets[name]), w, name) for name, w in weights.items()]
    target = next(iter(sets.values())).parent / "out" / "mixed.jsonl"
    options = {key: how.pop(key) for key in ("tag", "format", "to") if key in how}
    done = mix(Mixture(ingredients=ingredients, **how), target, **options)
    return done, [json.loads(line) for line in target.read_text().splitlines()]


def test_a_weight_says_how_often_each_record_is_taken(sets: dict[str, Path]) -> None:
    _, rows = mixed(sets, {"a": 0.5, "b": 2, "c": 1.5}, tag=None)
    counts = Counter(row["text"] for row in rows)
    assert {n: sum(c for t, c in counts.items() if t[0] == n) for n in "abc"} == {
        "a": 20,
        "b": 40,
        "c": 12,
    }
    assert {c for t, c in counts.items() if t[0] == "a"} == {1}
    assert {c for t, c in counts.items() if t[0] == "b"} == {2}
    assert Counter(c for t, c in counts.items() if t[0] == "c") == {1: 4, 2: 4}


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.1, 5), st.integers(1, 50)), min_size=1, max_size=5),
    st.integers(1, 500),
)
def test_a_total_is_shared_out_by_weight(sets: list[tuple[float, int]], total: int) -> None:
    ingredients = [Ingredient(str(i), weight) for i, (weight, _) in enumerate(sets)]
    takes = Mixture(ingredients=ingredients, total=total).takes([size for _, size in sets])
    weights = [weight for weight, _ in sets]
    assert sum(takes) == total
    for taken, weight in zip(takes, weights, strict=True):
        assert abs(taken - total * weight / sum(weights)) < 1


def test_what_is_left_of_a_total_goes_to_the_largest_remainders() -> None:
    # 10 parted 1.5 : 1 : 1 is 4.29, 2.86 and 2.86.
    ingredients = [Ingredient("a", 1.5), Ingredient("b"), Ingredient("c")]
    assert Mixture(ingredients=ingredients, total=10).takes([9, 9, 9]) == [4, 3, 3]


def test_a_total_can_take_more_than_there_is(sets: dict[str, Path]) -> None:
    done, rows = mixed(sets, {"a": 1, "c": 3}, total=100)
    assert [share.n_taken for share in done.shares] == [25, 75]
    counts = Counter(row["text"] for row in rows if row["tags"]["mix"] == "c")
    assert set(counts.values()) == {9, 10}


def test_a_larger_weight_takes_what_a_smaller_one_took(sets: dict[str, Path]) -> None:
    some, more = ({row["text"] for row in mixed(sets, {"a": weight})[1]} for weight in (0.3, 0.6))
    assert (len(some), len(more)) == (12, 24)
    assert some < more


def test_each_set_is_spread_evenly(sets: dict[str, Path]) -> None:
    _, rows = mixed(sets, {"a": 1, "b": 1, "c": 1})
    names = [row["tags"]["mix"] for row in rows]
    for length in range(1, len(names) + 1):
        counts = Counter(names[:length])
        for name, size in (("a", 40), ("b", 20), ("c", 8)):
            assert abs(counts[name] - length * size / 68) <= 1.5


def test_sets_can_follow_one_another(sets: dict[str, Path]) -> None:
    _, rows = mixed(sets, {"b": 1, "c": 2}, strategy="concat")
    assert [row["text"] for row in rows] == [
        *(f"b {i}" for i in range(20)),
        *(f"c {i}" for i in range(8)),
        *(f"c {i}" for i in range(8)),
    ]


def test_interleaving_under_ends_with_the_first_used_up_set(sets: dict[str, Path]) -> None:
    done, rows = mixed(sets, {"a": 1, "c": 1}, strategy="interleave_under")
    counts = Counter(row["text"] for row in rows)
    assert set(counts.values()) == {1}
    assert rows[-1]["text"] in ("a 39", "c 7")
    assert 8 in [share.n_taken for share in done.shares]


def test_interleaving_over_goes_on_until_every_set_is_used_up(sets: dict[str, Path]) -> None:
    done, rows = mixed(sets, {"a": 1, "c": 1}, strategy="interleave_over")
    counts = Counter(row["text"] for row in rows)
    assert len(counts) == 48
    assert {c for t, c in counts.items() if t[0] == "a"} == {1}
    assert done.shares[1].n_taken > 8
    assert rows[-1]["text"] == "a 39"


def test_an_interleaving_weight_is_a_chance(sets: dict[str, Path], tmp_path: Path) -> None:
    rows = [{"text": f"d {i}"} for i in range(2000)]
    sets["d"] = write(tmp_path / "d.jsonl", rows)
    done, _ = mixed(sets, {"d": 3, "b": 1}, strategy="interleave_over")
    d, b = (share.n_taken for share in done.shares)
    # About 2667 draws: the standard error of the share is 0.8 %.
    assert d / (d + b) == pytest.approx(0.75, abs=0.04)


@pytest.mark.parametrize("strategy", ["proportional", "interleave_over"])
def test_the_seed_decides_and_nothing_else(sets: dict[str, Path], strategy: str) -> None:
    def texts(seed: int) -> list[str]:
        _, rows = mixed(sets, {"a": 0.5, "b": 1}, strategy=strategy, seed=seed)
        return [row["text"] for row in rows]

    assert texts(1) == texts(1) != texts(2)


def test_records_name_their_set_beside_their_own_tags(tmp_path: Path) -> None:
    sets = {"a": write(tmp_path / "a.jsonl", [{"text": "x", "tags": {"topic": 1}, "more": 2}])}
    assert mixed(sets, {"a": 1})[1] == [{"text": "x", "tags": {"topic": 1, "mix": "a"}, "more": 2}]
    assert mixed(sets, {"a": 1}, tag="from")[1][0]["tags"] == {"topic": 1, "from": "a"}
    assert mixed(sets, {"a": 1}, tag=None)[1] == [{"text": "x", "tags": {"topic": 1}, "more": 2}]


def test_a_tag_of_that_name_is_not_overwritten(tmp_path: Path) -> None:
    sets = {"a": write(tmp_path / "a.jsonl", [{"text": "x", "tags": {"mix": "earlier"}}])}
    with pytest.raises(DataError, match="has a tag 'mix' already"):
        mixed(sets, {"a": 1})
    assert not (tmp_path / "out").exists()


def test_other_formats_become_messages(tmp_path: Path) -> None:
    sets = {
        "a": write(tmp_path / "a.jsonl", [{"instruction": "q", "output": "a"}]),
        "b": write(
            tmp_path / "b.jsonl",
            [
                {
                    "messages": [{"role": "user", "content": "q"}]
                    + 1 * [{"role": "assistant", "content": "b"}]
                }
            ],
        ),
    }
    done, rows = mixed(sets, {"a": 1, "b": 1}, tag=None)
    assert done.format == "messages"
    assert [row["messages"][1]["content"] for row in rows] == ["a", "b"]
    done, rows = mixed(sets, {"a": 1, "b": 1}, tag=None, to="alpaca")
    assert [row["output"] for row in rows] == ["a", "b"]


def test_sets_of_different_kinds_are_refused(sets: dict[str, Path], tmp_path: Path) -> None:
    sets["d"] = write(tmp_path / "d.jsonl", [{"instruction": "q", "output": "a"}])
    with pytest.raises(DataError, match=r"a\.jsonl holds texts, .*d\.jsonl holds conversations"):
        mixed(sets, {"a": 1, "d": 1})


def test_what_several_sets_share_is_counted(sets: dict[str, Path], tmp_path: Path) -> None:
    sets["d"] = write(tmp_path / "d.jsonl", [{"text": "a 1"}, {"text": "b 2"}, {"text": "new"}])
    done, rows = mixed(sets, {"a": 1, "b": 2, "d": 1})
    assert (done.n_in_several, len(done.in_several)) == (2, 2)
    assert done.n_repeated == 20 + 2
    assert done.n_records == len(rows) == 83


def test_a_set_is_never_overwritten(sets: dict[str, Path]) -> None:
    before = sets["b"].read_bytes()
    with pytest.raises(UsageError, match="overwrite"):
        mix(Mixture(ingredients=parse_ingredients([str(sets["a"]), str(sets["b"])])), sets["b"])
    assert sets["b"].read_bytes() == before


def test_weights_and_names_are_parsed(tmp_path: Path) -> None:
    odd = write(tmp_path / "x=2", [{"text": "x"}])
    words = ["data/belle.jsonl.gz=0.5", "hub:org/coig=2", "i/dataset_info.json#alpaca", str(odd)]
    found = parse_ingredients([*words, "other/belle.json=1e-1"])
    assert [(i.location, i.weight, i.name) for i in found] == [
        ("data/belle.jsonl.gz", 0.5, "belle"),
        ("hub:org/coig", 2.0, "coig"),
        ("i/dataset_info.json#alpaca", 1.0, "alpaca"),
        (str(odd), 1.0, "x=2"),
        ("other/belle.json", 0.1, "belle-2"),
    ]


@pytest.mark.parametrize(
    "word", ["a.jsonl=much", "a.jsonl=0", "a.jsonl=-1", "a.jsonl=inf", "a=nan"]
)
def test_weights_that_make_no_sense_are_refused(word: str) -> None:
    with pytest.raises(UsageError, match="weight"):
        parse_ingredients([word])


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"strategy": "concatenate"}, "did you mean 'concat'"),
        ({"total": 0}, "total"),
        ({"total": 5, "strategy": "interleave_over"}, "leave --total out"),
        ({"ingredients": []}, "nothing to mix"),
    ],
)
def test_a_mixture_that_makes_no_sense_is_refused(how: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Mixture(**({"ingredients": [Ingredient("a")]} | how))
