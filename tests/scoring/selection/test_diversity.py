from __future__ import annotations

import tracemalloc
from itertools import combinations

import numpy as np
import pytest
from encoders import minilm
from hypothesis import given
from hypothesis import strategies as st

from tuneval.errors import UsageError
from tuneval.models.embeddings import load_encoder
from tuneval.runs.events import Finished, Started, Step
from tuneval.scoring.selection import diversity
from tuneval.scoring.selection.diversity import (
    facility_location,
    k_center,
    nearest_kept,
    threshold_walk,
)


def unit(rows) -> np.ndarray:
    rows = np.asarray(rows, np.float64)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def random_rows(n: int, dimension: int = 8, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(n, dimension)))


def crowded_rows(n: int, seed: int = 0) -> np.ndarray:
    """As texts lie: in crowds, with copies and near copies."""
    source = np.random.default_rng(seed)
    crowds = source.normal(size=(6, 8))
    rows = crowds[source.integers(6, size=n)] + source.normal(size=(n, 8)) * 0.3
    rows[source.integers(n, size=n // 5)] = rows[source.integers(n, size=n // 5)]
    return unit(rows)


def cosines(rows: np.ndarray) -> np.ndarray:
    return rows.astype(np.float64) @ rows.astype(np.float64).T


def first_of_best(values: np.ndarray, taken: list[int], tolerance: float) -> int:
    values = values.copy()
    values[taken] = -np.inf
    return int(np.flatnonzero(values >= values.max() - tolerance)[0])


def plain_k_center(rows: np.ndarray, n: int, start: int = 0) -> list[int]:
    chosen = [start]
    while len(chosen) < n:
        nearest = cosines(rows)[:, chosen].max(axis=1)
        chosen.append(first_of_best(-nearest, chosen, 1e-6))
    return chosen


def coverage(rows: np.ndarray, chosen) -> float:
    return float(np.maximum(cosines(rows)[:, list(chosen)], 0).max(axis=1).sum())


def plain_facility_location(rows: np.ndarray, n: int) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < n:
        now = coverage(rows, chosen) if chosen else 0.0
        gains = np.array([coverage(rows, [*chosen, row]) - now for row in range(len(rows))])
        chosen.append(first_of_best(gains, chosen, 1e-5 * max(1.0, gains.max())))
    return chosen


def radius(rows: np.ndarray, centres) -> float:
    """The longest way (length of the difference) from any row to its nearest centre."""
    nearest = cosines(rows)[:, list(centres)].max(axis=1)
    return float(np.sqrt(2 - 2 * nearest.clip(-1, 1)).max())


@pytest.fixture(params=["whole", "in small parts"])
def parts(request, monkeypatch):
    """The results do not depend on the sizes of blocks and pool."""
    if request.param == "in small parts":
        monkeypatch.setattr(diversity, "BLOCK_ROWS", 7)
        monkeypatch.setattr(diversity, "BLOCK_COLUMNS", 5)
        monkeypatch.setattr(diversity, "BLOCK_COSINES", 16)
        monkeypatch.setattr(diversity, "POOL", 4)


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("make", [random_rows, crowded_rows])
def test_k_center_takes_the_farthest_from_all_taken_before(make, seed):
    rows = make(60, seed=seed)
    assert k_center(rows, 25, start=3).tolist() == plain_k_center(rows, 25, start=3)


@pytest.mark.parametrize("seed", range(20))
def test_k_center_comes_within_twice_the_best_radius(seed):
    rows = random_rows(11, dimension=3, seed=seed)
    best = min(radius(rows, centres) for centres in combinations(range(11), 3))
    assert radius(rows, k_center(rows, 3)) <= 2 * best


def test_k_center_begins_with_the_best_ranked_or_with_one_drawn_by_seed():
    rows = random_rows(30)
    assert k_center(rows, 5)[0] == 0
    drawn = [int(k_center(rows, 1, start=None, seed=seed)[0]) for seed in range(8)]
    assert drawn == [int(k_center(rows, 1, start=None, seed=seed)[0]) for seed in range(8)]
    assert len(set(drawn)) > 1


@pytest.mark.parametrize("start", [-1, 30])
def test_k_center_cannot_begin_outside_the_set(start):
    with pytest.raises(UsageError, match=f"no row {start}"):
        k_center(random_rows(30), 5, start=start)


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("make", [random_rows, crowded_rows])
def test_facility_location_takes_what_adds_most(make, seed):
    rows = make(40, seed=seed)
    assert facility_location(rows, 15).tolist() == plain_facility_location(rows, 15)


@pytest.mark.parametrize("seed", range(10))
def test_facility_location_comes_within_its_bound_of_the_best(seed):
    # Nemhauser, Wolsey and Fisher (1978): 1 - 1/e of the best possible, at least.
    rows = random_rows(11, dimension=3, seed=seed)
    best = max(coverage(rows, chosen) for chosen in combinations(range(11), 3))
    assert coverage(rows, facility_location(rows, 3)) >= (1 - 1 / np.e) * best


def test_facility_location_begins_with_what_stands_best_for_all():
    rows = unit([[0, 0, 1], [1, 0.2, 0], [1, 0, 0], [1, -0.2, 0]])
    assert facility_location(rows, 2).tolist() == [2, 0]


def test_opposites_do_not_count_against_a_row():
    # Row 0 is the opposite of row 1; without the clipping both would add nothing together.
    rows = unit([[1, 0, 0], [-1, 0, 0], [0, 1, 0]])
    assert facility_location(rows, 3).tolist() == [0, 1, 2]


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9, 1.0])
def test_the_walk_leaves_out_what_is_more_like_a_kept_one_than_the_threshold(threshold):
    rows = crowded_rows(60)
    kept: list[int] = []
    for row in range(60):
        if all(cosines(rows)[row, other] <= threshold + 1e-6 for other in kept):
            kept.append(row)
    assert threshold_walk(rows, threshold).tolist() == kept
    assert threshold_walk(rows, threshold, n=9).tolist() == kept[:9]


def test_copies_are_not_more_alike_than_1_and_are_more_alike_than_any_less():
    rows = random_rows(5, dimension=384)
    twice = np.concatenate([rows, rows])
    assert len(threshold_walk(twice, 1.0)) == 10
    assert threshold_walk(twice, 0.999).tolist() == [0, 1, 2, 3, 4]


def test_what_the_walk_leaves_out_is_near_a_kept_one_and_the_kept_are_apart():
    rows = crowded_rows(200)
    kept = threshold_walk(rows, 0.8)
    similarity = nearest_kept(rows, kept).similarity
    is_kept = np.isin(np.arange(200), kept)
    assert 0 < is_kept.sum() < 200
    assert (similarity[~is_kept] > 0.8).all()
    assert (similarity[is_kept] <= 0.8 + 1e-5).all()


METHODS = [k_center, facility_location]
by_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)


@pytest.mark.usefixtures("parts")
@by_method
def test_a_tie_goes_to_the_better_rank(method):
    # Five directions at right angles, each twice: the second of two adds nothing to the first.
    rows = np.concatenate([np.eye(5), np.eye(5)]).astype(np.float32)
    assert method(rows, 10).tolist() == list(range(10))


def test_what_float32_cannot_tell_is_a_tie():
    # The last row is farther from the first than the second is, by a ten-millionth.
    rows = np.array([[1, 0], [0, 1], [-1e-7, 1]], np.float32)
    assert k_center(rows, 2).tolist() == [0, 1]


@pytest.mark.usefixtures("parts")
@by_method
def test_rows_that_are_hardly_of_unit_length_are_not_chosen_twice(method):
    rows = crowded_rows(30) * np.float32(0.9995)
    assert sorted(method(rows, 30).tolist()) == list(range(30))


@by_method
def test_copies_come_last_and_in_order_of_rank(method):
    rows = random_rows(12, dimension=384)
    order = method(np.concatenate([rows, rows[::-1]]), 24).tolist()
    assert sorted(order[:12]) == list(range(12))
    assert order[12:] == list(range(12, 24))


@by_method
def test_of_equal_vectors_one_is_as_good_as_all(method):
    rows = np.repeat(unit([[1.0, 2.0, 3.0]]), 6, axis=0)
    assert method(rows, 4).tolist() == [0, 1, 2, 3]


@by_method
@pytest.mark.parametrize("n", [20, 21, 1000])
def test_all_are_taken_when_no_fewer_are_asked_for(method, n):
    assert sorted(method(random_rows(20), n).tolist()) == list(range(20))


@by_method
def test_none_and_one(method):
    assert method(random_rows(20), 0).tolist() == []
    assert method(random_rows(1), 1).tolist() == [0]
    assert method(np.zeros((0, 4), np.float32), 3).tolist() == []


@by_method
def test_fewer_than_none_are_refused(method):
    with pytest.raises(UsageError, match="-1 examples"):
        method(random_rows(3), -1)


@pytest.mark.parametrize("method", [*METHODS, threshold_walk], ids=lambda method: method.__name__)
def test_the_products_are_never_held_all_at_once(method):
    rows = random_rows(8000, dimension=4)  # all cosines together: 256 MB
    tracemalloc.start()
    try:
        method(rows, 0.99) if method is threshold_walk else method(rows, 20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 90e6


def test_a_walk_over_nothing_keeps_nothing_and_over_one_keeps_it():
    assert threshold_walk(np.zeros((0, 4), np.float32), 0.5).tolist() == []
    assert threshold_walk(random_rows(1), 0.5).tolist() == [0]
    assert threshold_walk(random_rows(9), 0.5, n=0).tolist() == []


@by_method
@given(st.integers(2, 25), st.integers(0, 25), st.integers(0, 2**32 - 1))
def test_nothing_is_chosen_twice_and_more_continue_fewer(method, n_rows, n, seed):
    rows = crowded_rows(max(n_rows, 5), seed=seed)
    order = method(rows, n).tolist()
    assert len(order) == len(set(order)) == min(n, len(rows))
    assert method(rows, n // 2).tolist() == order[: n // 2]


@by_method
def test_progress_is_told_to_its_end(method):
    told = []
    method(random_rows(600), 300, report=told.append)
    assert told[0] == Started("diversity", 300, "examples")
    assert [event.done for event in told if isinstance(event, Step)] == [256, 300]
    assert isinstance(told[-1], Finished)


# A crowd of passwords in each language, the best ranked first, and two that stand alone.
ENGLISH = [
    "How do I reset my password?",
    "I forgot my password, how can I change it?",
    "What is the way to set a new password?",
    "Write a poem about the autumn moon.",
    "Give me a recipe for tomato soup.",
]
CHINESE = [
    "怎样重置我的密码？",
    "怎样重置密码？",
    "怎样重置我的登录密码？",
    "写一首关于秋天月亮的诗。",
    "1加1等于多少？",
]


def covers_both(rows: np.ndarray) -> None:
    """Each way takes the first and the two that stand alone before a second of the crowd."""
    assert k_center(rows, 3)[0] == 0
    assert sorted(k_center(rows, 3).tolist()) == [0, 3, 4]
    assert len(set(facility_location(rows, 3).tolist()) & {0, 1, 2}) == 1
    crowd = nearest_kept(rows, [0]).similarity
    between = (crowd[1:3].min() + crowd[3:].max()) / 2
    assert threshold_walk(rows, between).tolist() == [0, 3, 4]


def test_english_questions_are_told_apart_by_what_they_ask():
    covers_both(minilm().embed(ENGLISH))


@pytest.mark.slow
def test_chinese_questions_are_told_apart_by_a_multilingual_model():
    encoder = load_encoder("model:bundled:smollm2-135m", device="cpu")
    covers_both(encoder.embed(CHINESE))
