"""Choosing: every example in or out with its reason, of the whole set, the same way each time."""

from __future__ import annotations

import random as random_module
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scored import score_row

from tuneval.data.example import Example, Message, Source
from tuneval.errors import UsageError
from tuneval.scoring.row import ScoreRow
from tuneval.scoring.selection.choose import choose
from tuneval.scoring.selection.config import SelectConfig, config_from
from tuneval.scoring.selection.outcome import Nearest, Rejection, Selection
from tuneval.scoring.selection.thinning import Embeddings

HALF_BELOW_1 = [score_row(f"{n:03}", ifd=n / 50) for n in range(100)]


def chosen(rows: Sequence[ScoreRow], **config: Any) -> Selection:
    return choose(config_from(**config), rows)


def vectors(**degrees: float) -> Embeddings:
    """Unit vectors in the plane, by the angle of each id; the text is the id."""

    def encode(texts: Sequence[str]) -> np.ndarray:
        angles = np.radians([degrees[text] for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    return Embeddings({id: id for id in degrees}, encode)


def test_a_share_is_one_of_the_whole_set_and_not_of_what_a_filter_left() -> None:
    found = chosen(HALF_BELOW_1, keep=["ifd < 1"], by="ifd", top="20%")
    assert [stage.left for stage in found.funnel] == [100, 50, 20]
    assert found.size is not None
    assert (found.size.offered, found.size.asked, found.size.chosen) == (100, 20, 20)


def test_examples_without_a_score_belong_to_the_whole_set() -> None:
    rows = [*HALF_BELOW_1[:40], *(score_row(f"u{n}", ifd="truncated") for n in range(60))]
    found = chosen(rows, by="ifd", top="20%")
    assert len(found.chosen) == 20
    assert found.reasons == {"unscored:ifd:truncated": 60, "below_top": 20}


def test_the_best_are_chosen_in_their_order_and_the_rest_know_their_rank() -> None:
    rows = [
        score_row(id, ifd=value) for id, value in zip("abcd", (0.5, 0.9, 0.7, 0.9), strict=True)
    ]
    found = chosen(rows, by="ifd", top="2")
    assert found.chosen == ("b", "d")
    assert found.rejected == {"c": Rejection("below_top", 3), "a": Rejection("below_top", 4)}
    assert chosen(rows, by="ifd", top="2", order="ascending").chosen == ("a", "c")
    assert chosen(rows, by="-ifd", top="2").chosen == ("a", "c")


def test_what_has_no_value_is_out_for_the_measures_own_reason() -> None:
    rows = [
        score_row("a", ifd="truncated", prompt_tokens=3.0),
        score_row("b", ifd="empty_response", prompt_tokens=9.0),
        score_row("c", ifd=1.2, prompt_tokens=9.0),
        score_row("d", ifd=0.4, prompt_tokens=9.0),
    ]
    found = chosen(rows, keep=["ifd < 1 or prompt_tokens < 5", "ifd < 1"])
    assert found.chosen == ("d",)
    assert {id: each.reason for id, each in found.rejected.items()} == {
        "a": "unscored:ifd:truncated",
        "b": "unscored:ifd:empty_response",
        "c": "keep:ifd < 1 or prompt_tokens < 5",
    }
    assert [(stage.left, dict(stage.rejected)) for stage in found.funnel] == [
        (4, {}),
        (2, {"keep:ifd < 1 or prompt_tokens < 5": 1, "unscored:ifd:empty_response": 1}),
        (1, {"unscored:ifd:truncated": 1}),
    ]


def test_a_quota_keeps_the_shares_of_the_whole_set() -> None:
    rows = [score_row(f"a{n:02}", task="a", ifd=0.9) for n in range(60)]
    rows += [score_row(f"b{n:02}", task="b", ifd=0.5) for n in range(30)]
    rows += [score_row(f"n{n}", task=None, ifd=0.1) for n in range(10)]
    found = chosen(rows, by="ifd", top="20%", quota="task")
    assert {name: each.chosen for name, each in found.strata.items()} == {
        "a": 12, "b": 6, "(none)": 2,
    }  # fmt: skip
    assert found.chosen[0] == "a00"
    assert found.chosen[-1] == "n1"
    without = chosen(rows, by="ifd", top="20%")
    assert Counter(id[0] for id in without.chosen) == {"a": 20}


def test_what_a_stratum_cannot_fill_goes_to_the_others_in_proportion() -> None:
    rows = [score_row(f"a{n:02}", task="a", ifd=0.5) for n in range(50)]
    rows += [score_row(f"b{n:02}", task="b", ifd=1.5 if n else 0.5) for n in range(30)]
    rows += [score_row(f"c{n:02}", task="c", ifd=0.5) for n in range(20)]
    found = chosen(rows, keep=["ifd < 1"], by="ifd", top="10", quota="task")
    counts = {n: (s.offered, s.eligible, s.chosen) for n, s in found.strata.items()}
    assert counts == {"a": (50, 50, 6), "b": (30, 1, 1), "c": (20, 20, 3)}


def test_more_than_there_is_gives_all_there_is() -> None:
    found = chosen(HALF_BELOW_1, keep=["ifd < 1"], by="ifd", top="80%")
    assert found.size is not None
    assert (found.size.asked, found.size.chosen, len(found.chosen)) == (80, 50, 50)


def test_without_an_amount_all_that_pass_are_chosen() -> None:
    found = chosen(HALF_BELOW_1, keep=["ifd < 1"])
    assert len(found.chosen) == 50
    assert found.size is None


def test_the_baseline_is_as_large_with_the_same_quotas_and_of_the_whole_set() -> None:
    rows = [
        score_row(f"{n:03}", task="ab"[n % 2], ifd=0.5 if n % 2 else "truncated") for n in range(80)
    ]
    rows += [score_row(f"c{n:03}", task="a", ifd=0.7) for n in range(20)]
    found = chosen(rows, by="ifd", top="20", quota="task")
    assert {n: s.random for n, s in found.strata.items()} == {
        n: s.chosen for n, s in found.strata.items()
    }
    unscored = {row.id for row in rows if row.scores["ifd"] is None}
    assert unscored & set(found.random)
    assert len(set(found.random)) == 20


def test_the_baseline_is_decided_by_its_seed_and_by_no_other_choice() -> None:
    first = chosen(HALF_BELOW_1, by="ifd", top="10%")
    assert chosen(HALF_BELOW_1, by="ifd", order="ascending", top="10%").random == first.random
    assert chosen(HALF_BELOW_1, by="ifd", top="10%", seed=18).random != first.random
    larger = chosen(HALF_BELOW_1, by="ifd", top="20%").random
    assert set(first.random) < set(larger)
    assert chosen(HALF_BELOW_1, by="ifd", top="10%", random_baseline=False).random == ()
    # The draw of `random` is another one: it would be no baseline of itself.
    assert set(chosen(HALF_BELOW_1, random=True, top="10%").chosen) != set(first.random)


def test_a_random_draw_follows_its_seed_and_the_filters() -> None:
    found = chosen(HALF_BELOW_1, keep=["ifd < 1"], random=True, top="10%")
    assert len(found.chosen) == 10
    assert all(int(id) < 50 for id in found.chosen)
    assert chosen(HALF_BELOW_1, keep=["ifd < 1"], random=True, top="10%") == found
    other = chosen(HALF_BELOW_1, keep=["ifd < 1"], random=True, top="10%", seed=18)
    assert set(other.chosen) != set(found.chosen)


def tokens(id: str, n: float | str, **more: Any) -> ScoreRow:
    return score_row(id, response_tokens=n, **more)


def test_a_budget_of_tokens_is_spent_down_the_ranks() -> None:
    rows = [tokens(id, n, ifd=1 - place / 10) for place, (id, n) in enumerate(
        [("a", 50.0), ("b", 30.0), ("c", 40.0), ("d", 5.0), ("e", "no_response")]
    )]  # fmt: skip
    found = chosen(rows, by="ifd", top="100 tokens")
    assert found.chosen == ("a", "b")  # c does not fit, and d is not put before it
    assert found.size is not None
    assert (found.size.unit, found.size.offered, found.size.chosen) == ("tokens", 125, 80)
    assert found.rejected["e"].reason == "unscored:response_tokens:no_response"
    assert chosen(rows, by="ifd", top="40% tokens").chosen == ("a",)


def test_response_tokens_are_counted_from_the_parts_where_no_measure_has_them() -> None:
    def row(id: str, n_tokens: int, cut: int) -> ScoreRow:
        part = {"part": "response_ppl", "turn": 0, "nll": 1.0, "n_tokens": n_tokens}
        return ScoreRow(
            id, "f:1", None, {"response_ppl": 2.0}, {}, {"response_ppl": [part, part]},
            {"response_ppl": cut} if cut else {},
        )  # fmt: skip

    rows = [row("a", 20, 0), row("b", 10, 30)]
    found = chosen(rows, by="response_ppl", top="100% tokens")
    assert found.size is not None
    assert found.size.chosen == 20 * 2 + 10 * 2 + 30


def test_an_amount_of_tokens_wants_counted_tokens() -> None:
    with pytest.raises(UsageError, match="--measure response_tokens"):
        chosen(HALF_BELOW_1, by="ifd", top="100 tokens")


def test_k_center_takes_what_differs_out_of_a_pool_of_the_best() -> None:
    rows = [score_row(id, ifd=1 - place / 10) for place, id in enumerate("abcdef")]
    # a, b and c point almost the same way; d is opposite; e and f are below the pool of four.
    where = vectors(a=0, b=1, c=2, d=180, e=90, f=270)
    found = choose(config_from(by="ifd", top="2", diverse="embeddings"), rows, embeddings=where)
    assert found.chosen == ("a", "d")
    assert [(s.name, s.left) for s in found.funnel][1:] == [
        ("pool of 4 examples", 4),
        ("top 2, diverse by k_center", 2),
    ]
    assert {id: (each.reason, each.rank) for id, each in found.rejected.items()} == {
        "b": ("less_diverse", 2),
        "c": ("less_diverse", 3),
        "e": ("below_top", 5),
        "f": ("below_top", 6),
    }
    near = found.rejected["b"].nearest
    assert near is not None
    assert near.id == "a"
    assert near.similarity == pytest.approx(np.cos(np.radians(1)), abs=1e-6)


def test_a_pool_can_be_as_large_as_one_likes() -> None:
    rows = [score_row(id, ifd=1 - place / 10) for place, id in enumerate("abcdef")]
    where = vectors(a=0, b=1, c=2, d=3, e=180, f=4)
    config = {"by": "ifd", "top": "2", "diverse": "embeddings", "diverse_by": "facility_location"}
    assert "e" not in choose(config_from(**config), rows, embeddings=where).chosen
    assert "e" in choose(config_from(**config, pool="100%"), rows, embeddings=where).chosen
    with pytest.raises(UsageError, match="A pool of 1 is smaller than the 2"):
        choose(config_from(**config, pool="1"), rows, embeddings=where)


def test_a_walk_down_the_ranks_leaves_out_what_is_like_a_kept_one() -> None:
    rows = [score_row(id, ifd=1 - place / 10) for place, id in enumerate("abcde")]
    where = vectors(a=0, b=5, c=90, d=95, e=180)
    asked = {"by": "ifd", "diverse": "embeddings", "diverse_by": "threshold", "threshold": 0.9}
    found = choose(config_from(**asked), rows, embeddings=where)
    assert found.chosen == ("a", "c", "e")
    assert {id: each.reason for id, each in found.rejected.items()} == {
        "b": "near_kept", "d": "near_kept",
    }  # fmt: skip
    assert found.rejected["d"].nearest == Nearest(
        "c", pytest.approx(np.cos(np.radians(5)), abs=1e-6)
    )
    two = choose(config_from(**asked, top="2"), rows, embeddings=where)
    assert two.chosen == ("a", "c")
    assert two.rejected["e"].reason == "below_top"
    assert two.rejected["b"].reason == "near_kept"


def test_each_stratum_is_thinned_by_itself() -> None:
    rows = [score_row(f"{task}{n}", task=task, ifd=1 - n / 10) for task in "xy" for n in range(4)]
    degrees = {f"{task}{n}": [0, 1, 2, 180][n] for task in "xy" for n in range(4)}
    config = config_from(by="ifd", top="4", quota="task", diverse="embeddings")
    found = choose(config, rows, embeddings=vectors(**degrees))
    assert set(found.chosen) == {"x0", "x3", "y0", "y3"}


def test_a_token_budget_and_diversity_go_together() -> None:
    rows = [tokens(id, 10.0, ifd=1 - n / 10) for n, id in enumerate("abcdef")]
    where = vectors(a=0, b=1, c=2, d=180, e=90, f=270)
    config = config_from(by="ifd", top="20 tokens", diverse="embeddings")
    assert choose(config, rows, embeddings=where).chosen == ("a", "d")


def test_what_has_no_text_has_no_place_among_the_diverse() -> None:
    rows = [score_row(id, ifd=0.5) for id in "abc"]
    where = Embeddings({"a": "a", "b": "  ", "c": "c"}, vectors(a=0, c=90).encode)
    config = config_from(top="2", diverse="embeddings")
    found = choose(config, rows, embeddings=where)
    assert found.chosen == ("a", "c")
    assert found.rejected["b"].reason == "unscored:embedding:no_embedding"
    with pytest.raises(UsageError, match="no embeddings"):
        choose(config, rows)


def items(**topics: Any) -> dict[str, Example]:
    return {
        id: Example((Message("user", id),), Source("f", 1), tags={"topic": topic} if topic else {})
        for id, topic in topics.items()
    }


def test_a_field_of_the_records_filters_and_makes_strata() -> None:
    rows = [score_row(id, ifd=0.5) for id in "abcd"]
    records = items(a="law", b="law", c="art", d=None)
    config = config_from(keep=['field["topic"] != "art"'])
    found = choose(config, rows, items=records)
    assert found.chosen == ("a", "b")
    assert found.rejected["d"].reason == "no_field:topic"
    strata = choose(config_from(by="ifd", top="2", quota="topic"), rows, items=records).strata
    assert {name: each.chosen for name, each in strata.items()} == {"(none)": 1, "art": 0, "law": 1}
    with pytest.raises(UsageError, match="did you mean 'topic'"):
        choose(config_from(keep=['field["topc"] == "law"']), rows, items=records)
    with pytest.raises(UsageError, match="records are needed"):
        choose(config, rows)


def test_a_quota_of_tasks_wants_tasks() -> None:
    with pytest.raises(UsageError, match="no example has one"):
        chosen(HALF_BELOW_1, by="ifd", top="10%", quota="task")


def test_names_are_checked_against_the_scores() -> None:
    with pytest.raises(UsageError, match="did you mean 'ifd'"):
        chosen(HALF_BELOW_1, keep=["idf < 1"])
    with pytest.raises(UsageError, match="do not hold 'r_ifd'"):
        chosen(HALF_BELOW_1, by="r_ifd", top="5")


VALUES = st.one_of(st.floats(0, 2), st.sampled_from(["truncated", "empty_response"]))
ROWS = st.lists(
    st.tuples(VALUES, st.sampled_from(["a", "b", "c", None]), st.integers(1, 40)),
    min_size=1,
    max_size=40,
)
AMOUNTS = st.sampled_from(["20%", "7", "100%", "60 tokens", "50% tokens", "1"])
WAYS = st.sampled_from([{}, {"diverse": "k_center"}, {"diverse": "threshold"}])


@given(ROWS, AMOUNTS, st.booleans(), WAYS, st.integers(0, 3))
def test_everything_ends_in_one_place_and_order_does_not_matter(
    content: list[tuple[float | str, str | None, int]],
    amount: str,
    with_quota: bool,
    way: dict[str, str],
    seed: int,
) -> None:
    rows = [
        score_row(f"{n:02}", task=task, ifd=value, response_tokens=float(size))
        for n, (value, task, size) in enumerate(content)
    ]
    if with_quota and not any(row.task for row in rows):
        return
    config = config_from(
        keep=["ifd < 1 or response_tokens < 5"],
        by="ifd",
        top=amount,
        quota="task" if with_quota else None,
        diverse="embeddings" if way else None,
        diverse_by=way.get("diverse"),
    )
    where = vectors(**{row.id: 7.0 * number for number, row in enumerate(rows)})
    found = choose(config, rows, embeddings=where)
    ids = {row.id for row in rows}
    assert set(found.chosen) | set(found.rejected) == ids
    assert len(found.chosen) + len(found.rejected) == len(ids)
    left = [stage.left for stage in found.funnel]
    out = [sum(stage.rejected.values()) for stage in found.funnel]
    assert all(
        before - gone == after for before, gone, after in zip(left, out[1:], left[1:], strict=False)
    )
    assert left[-1] == len(found.chosen)
    assert found.size is not None
    assert found.size.chosen <= found.size.asked
    assert set(found.random) <= ids
    if found.size.unit == "examples":
        assert len(found.random) == len(found.chosen)
    mixed = list(rows)
    random_module.Random(seed).shuffle(mixed)
    again = choose(config, mixed, embeddings=where)
    assert (again.chosen, again.rejected, again.random) == (
        found.chosen, found.rejected, found.random,
    )  # fmt: skip


def test_a_row_that_stands_twice_counts_once() -> None:
    twice = [score_row("a", ifd=0.5), score_row("a", ifd=0.9), score_row("b", ifd=0.4)]
    found = chosen(twice, by="ifd", top="50%")
    assert found.chosen == ("a",)
    assert found.funnel[0].left == 2


def test_of_nothing_nothing_is_chosen() -> None:
    found = choose(SelectConfig(by=None), [])
    assert (found.chosen, found.rejected, found.random) == ((), {}, ())
