from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from tuneval.errors import UsageError
from tuneval.scoring import neighbours
from tuneval.scoring.neighbours import nearest_kept, unit_rows


def unit(rows) -> np.ndarray:
    rows = np.asarray(rows, np.float64)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def random_rows(n: int, dimension: int = 8, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(n, dimension)))


def brute_force(rows: np.ndarray, kept: list[int]) -> list[tuple[float, int]]:
    found = []
    for i in range(len(rows)):
        others = [j for j in kept if j != i]
        distances = [1 - float(rows[i].astype(float) @ rows[j].astype(float)) for j in others]
        best = int(np.argmin(distances))
        found.append((distances[best], others[best]))
    return found


@pytest.mark.parametrize("block", [3, 8, 10_000])
@pytest.mark.parametrize("kept", [[4, 0, 17], list(range(40))], ids=["some", "all"])
def test_everyone_finds_the_nearest_kept_one_that_is_another(monkeypatch, block, kept):
    monkeypatch.setattr(neighbours, "BLOCK_ROWS", block)
    monkeypatch.setattr(neighbours, "BLOCK_COLUMNS", block - 1)
    rows = random_rows(40)
    found = nearest_kept(rows, kept)
    expected = brute_force(rows, kept)
    assert found.index.tolist() == [index for _, index in expected]
    np.testing.assert_allclose(found.distance, [distance for distance, _ in expected], atol=1e-6)
    np.testing.assert_allclose(found.similarity, 1 - found.distance)


def test_the_products_are_never_held_all_at_once():
    rows = random_rows(8000, dimension=4)  # all cosines together: 256 MB
    tracemalloc.start()
    try:
        nearest_kept(rows, range(8000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 90e6


def test_equal_vectors_are_at_distance_0_exactly():
    rows = random_rows(20, dimension=384)
    found = nearest_kept(np.concatenate([rows, rows]), range(20))
    assert found.distance[20:].tolist() == [0.0] * 20
    assert found.index[20:].tolist() == list(range(20))


def test_a_small_distance_is_exact_where_one_minus_a_float32_is_not():
    # Two directions 0.0001 apart: 1 - cos is 5e-9, and 1 - 5e-9 is 1 in float32.
    rows = unit([[1, 0], [1, 1e-4]])
    np.testing.assert_allclose(nearest_kept(rows, [0]).distance[1], 5e-9, rtol=1e-3)


def test_opposite_vectors_are_at_distance_2():
    assert nearest_kept(unit([[1, 0], [-1, 0]]), [0, 1]).distance.tolist() == [2.0, 2.0]


def test_where_there_is_no_other_there_is_no_neighbour():
    alone = nearest_kept(unit([[1, 0], [0, 1]]), [1])
    assert alone.index.tolist() == [1, -1]
    assert alone.distance.tolist() == [1.0, np.inf]
    nobody = nearest_kept(unit([[1, 0]]), [])
    assert nobody.index.tolist() == [-1]
    assert nobody.distance.tolist() == [np.inf]


def test_nothing_has_no_neighbours():
    assert len(nearest_kept(np.zeros((0, 4), np.float32), []).index) == 0


@pytest.mark.parametrize("wrong", [[0.0, 0.0], [3.0, 4.0], [np.nan, 1.0]])
def test_rows_that_are_not_of_unit_length_are_refused(wrong):
    with pytest.raises(UsageError, match="1 of 3 embeddings") as caught:
        unit_rows(np.array([[1, 0], wrong, [0, 1]], np.float32))
    assert caught.value.where == "row 1"


def test_a_single_vector_is_no_set_of_rows():
    with pytest.raises(UsageError, match="1 dimensions"):
        unit_rows(np.array([1.0, 0.0], np.float32))
