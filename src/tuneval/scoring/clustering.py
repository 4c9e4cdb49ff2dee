"""Clusters of unit vectors by direction: k-means with cosines instead of distances.

Spherical k-means: Dhillon and Modha (2001). First centres: Arthur and Vassilvitskii (2007).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from tuneval.errors import UsageError
from tuneval.runs.events import Finished, Report, Started, Step, ignore
from tuneval.scoring.neighbours import Indices, Vectors, blocks, unit_rows

STAGE = "clusters"
ROUNDS = 25
# Centres of a larger set are found on a sample of it; all of it is then assigned to them.
SAMPLED = 50_000
SAMPLED_PER_CLUSTER = 50
BLOCK_ROWS = 4096
MOST_CLUSTERS = 200
# Cosines of float32 vectors that are nearer than this are equal.
TIE = 1e-6


@dataclass(frozen=True, slots=True)
class _Assigned:
    """The cluster of each item, (N,) int64, and its cosine to the centre, (N,) float32."""

    cluster: Indices
    cosine: npt.NDArray[np.float32]


def usual_clusters(n_items: int) -> int:
    """√(n/2), at least 1 and at most 200: clusters grow with the set, and their number does.

    A rule of thumb of Mardia, Kent and Bibby (1979): 1,000 items make 22 clusters of 45.
    """
    return max(1, min(MOST_CLUSTERS, round(math.sqrt(n_items / 2))))


def cluster(vectors: Vectors, n_clusters: int, *, seed: int, report: Report = ignore) -> Indices:
    """The cluster of each item, (N,) int64 from 0; no cluster is empty.

    There are `n_clusters`, or as many as there are different vectors where those are fewer.
    """
    if n_clusters < 1:
        raise UsageError(f"{n_clusters} clusters were asked for.", mend="ask for 1 or more")
    vectors = unit_rows(vectors)
    if not len(vectors):
        return np.zeros(0, np.int64)
    source = np.random.default_rng(seed)
    n_sampled = max(SAMPLED, SAMPLED_PER_CLUSTER * n_clusters)
    sample = vectors
    if n_sampled < len(vectors):
        sample = vectors[np.sort(source.choice(len(vectors), n_sampled, replace=False))]
    report(Started(STAGE, ROUNDS, "rounds"))
    centres = _first_centres(sample, n_clusters, source)
    before = None
    for number in range(ROUNDS):
        found = _assign(sample, centres)
        report(Step(STAGE, number + 1, ROUNDS))
        if before is not None and np.array_equal(found.cluster, before):
            break
        before = found.cluster
        centres = _means(sample, found.cluster, centres)
    report(Finished(STAGE, {"clusters": len(centres)}))
    return _assign(vectors, centres).cluster


def _first_centres(vectors: Vectors, n_clusters: int, source: np.random.Generator) -> Vectors:
    """k-means++: each next centre drawn by its squared distance to the nearest one so far."""
    chosen = [int(source.integers(len(vectors)))]
    nearest = vectors @ vectors[chosen[0]]
    while len(chosen) < n_clusters:
        weights = 1 - nearest.astype(np.float64)  # half the squared distance
        weights[weights < TIE] = 0
        if not weights.any():  # every vector is a centre already
            break
        chosen.append(int(source.choice(len(vectors), p=weights / weights.sum())))
        np.maximum(nearest, vectors @ vectors[chosen[-1]], out=nearest)
    return vectors[chosen]


def _assign(vectors: Vectors, centres: Vectors) -> _Assigned:
    """Everyone to the nearest centre, and to an empty one who is farthest from their own."""
    found = _Assigned(np.zeros(len(vectors), np.int64), np.zeros(len(vectors), np.float32))
    for rows in blocks(len(vectors), BLOCK_ROWS):
        cosines = vectors[rows] @ centres.T
        found.cluster[rows] = cosines.argmax(axis=1)
        found.cosine[rows] = cosines.max(axis=1)
    sizes = np.bincount(found.cluster, minlength=len(centres))
    for empty in np.flatnonzero(sizes == 0):
        can_leave = sizes[found.cluster] > 1
        farthest = int(np.where(can_leave, found.cosine, np.inf).argmin())
        sizes[found.cluster[farthest]] -= 1
        found.cluster[farthest], found.cosine[farthest] = empty, 1
        sizes[empty] = 1
    return found


def _means(vectors: Vectors, cluster: Indices, before: Vectors) -> Vectors:
    """The mean direction of each cluster; the one before where its vectors cancel out."""
    n = len(vectors)
    members = sparse.csr_array(
        (np.ones(n, np.float32), (cluster, np.arange(n))), shape=(len(before), n)
    )
    sums = members @ vectors
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    has_direction = lengths > TIE
    return np.where(has_direction, sums / np.where(has_direction, lengths, 1), before)
