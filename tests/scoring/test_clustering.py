from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.errors import UsageError
from tuneval.scoring import clustering
from tuneval.scoring.clustering import cluster, usual_clusters


def unit(rows) -> np.ndarray:
    rows = np.asarray(rows, np.float64)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def crowds(n_crowds: int, size: int, *, spread: float = 0.05, seed: int = 0) -> np.ndarray:
    """Rows of crowds that lie far apart, crowd after crowd."""
    source = np.random.default_rng(seed)
    centres = np.eye(16)[:n_crowds]
    return unit(
        np.repeat(centres, size, axis=0) + source.normal(size=(n_crowds * size, 16)) * spread
    )


@pytest.mark.parametrize("seed", range(5))
def test_crowds_that_lie_apart_are_found(seed):
    found = cluster(crowds(6, 30), 6, seed=seed).reshape(6, 30)
    assert all(len(set(own)) == 1 for own in found.tolist())
    assert len(set(found[:, 0].tolist())) == 6


def test_everyone_is_in_the_cluster_whose_mean_direction_is_nearest():
    rows = unit(np.random.default_rng(1).normal(size=(300, 8)))
    found = cluster(rows, 7, seed=3)
    means = unit([rows[found == own].sum(axis=0) for own in range(7)])
    nearest = (rows @ means.T).argmax(axis=1)
    # Lloyd's rounds end when nobody moves, or after 25 of them: all but a few stand still by then.
    assert (nearest == found).mean() > 0.97


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_no_cluster_is_empty_and_there_are_as_many_as_asked_for(n_items, n_clusters, seed):
    rows = unit(np.random.default_rng(seed).normal(size=(n_items, 4)))
    sizes = np.bincount(cluster(rows, n_clusters, seed=seed))
    assert len(sizes) == min(n_items, n_clusters)
    assert sizes.min() > 0


def test_copies_make_no_clusters_of_their_own():
    rows = np.repeat(np.eye(3, dtype=np.float32), [5, 1, 4], axis=0)
    found = cluster(rows, 8, seed=0)
    assert len(set(found.tolist())) == 3
    assert [len(set(found[places].tolist())) for places in (range(5), range(6, 10))] == [1, 1]


def test_an_empty_cluster_gets_who_is_farthest_from_their_own():
    rows = unit([[1, 0], [1, 0.1], [1, 1], [0, -1]])
    centres = unit([[1, 0], [0, -1], [-1, 0]])  # nobody is near the last
    assert clustering._assign(rows, centres).cluster.tolist() == [0, 0, 2, 1]


def test_who_is_alone_in_a_cluster_does_not_leave_it_empty():
    rows = unit([[1, 0], [1, 0.1], [0, 1]])
    centres = unit([[1, 0], [-1, 0.2], [0, -1]])  # the last row is alone, and farthest of all
    assert clustering._assign(rows, centres).cluster.tolist() == [0, 2, 1]


def test_the_same_seed_gives_the_same_clusters_and_another_may_not():
    rows = unit(np.random.default_rng(1).normal(size=(200, 8)))
    one = cluster(rows, 9, seed=1)
    assert one.tolist() == cluster(rows, 9, seed=1).tolist()
    assert any(one.tolist() != cluster(rows, 9, seed=seed).tolist() for seed in (2, 3, 4))


def test_a_large_set_is_clustered_by_a_sample_of_it(monkeypatch):
    monkeypatch.setattr(clustering, "SAMPLED", 60)
    monkeypatch.setattr(clustering, "SAMPLED_PER_CLUSTER", 1)
    monkeypatch.setattr(clustering, "BLOCK_ROWS", 17)
    found = cluster(crowds(4, 100), 4, seed=5).reshape(4, 100)
    assert all(len(set(own)) == 1 for own in found.tolist())
    assert len(set(found[:, 0].tolist())) == 4


def test_vectors_that_cancel_out_leave_their_centre_where_it_was():
    rows = unit([[1, 0], [-1, 0]])
    before = unit([[0, 1]])
    np.testing.assert_array_equal(clustering._means(rows, np.array([0, 0]), before), before)


def test_nothing_has_no_clusters():
    assert cluster(np.zeros((0, 4), np.float32), 3, seed=0).tolist() == []


def test_fewer_than_one_cluster_is_refused():
    with pytest.raises(UsageError, match="0 clusters"):
        cluster(np.eye(3, dtype=np.float32), 0, seed=0)


@pytest.mark.parametrize(
    ("n_items", "n_clusters"),
    [(0, 1), (1, 1), (2, 1), (8, 2), (1000, 22), (52_002, 161), (80_000, 200), (10**6, 200)],
)
def test_the_usual_number_grows_with_the_root_of_the_set_to_its_bound(n_items, n_clusters):
    assert usual_clusters(n_items) == n_clusters
