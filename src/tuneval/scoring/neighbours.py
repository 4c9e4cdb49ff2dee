"""Who is nearest to whom among vectors of unit length, by blocks of matrix products."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tuneval.errors import UsageError
from tuneval.runs.events import Finished, Report, Started, Step, ignore

Vectors = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

STAGE = "neighbours"
# A block of cosines takes 32 MiB at most, whatever the set's size, and two may be there at once.
BLOCK_ROWS = 1024
BLOCK_COLUMNS = 8192
UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Neighbours:
    """For each item the cosine distance, (N,) float64 in [0, 2], to its nearest, (N,) int64.

    Infinity and -1 where there is none.
    """

    distance: npt.NDArray[np.float64]
    index: Indices

    @property
    def similarity(self) -> npt.NDArray[np.float64]:
        """Cosine to the nearest, (N,) float64; minus infinity where there is none."""
        return 1 - self.distance


def nearest_kept(
    vectors: Vectors, kept: Sequence[int] | Indices, *, report: Report = ignore
) -> Neighbours:
    """The nearest kept item of every item; of a kept one, the nearest other kept one.

    With all of them kept: everyone's nearest neighbour. Equal vectors are at distance 0 exactly.
    """
    vectors = unit_rows(vectors)
    kept = np.asarray(kept, np.int64)
    place = np.full(len(vectors), -1)  # of an item among the kept
    place[kept] = np.arange(len(kept))
    cosine = np.full(len(vectors), -np.inf, np.float32)
    index = np.full(len(vectors), -1)
    report(Started(STAGE, len(vectors), "examples"))
    for rows in blocks(len(vectors), BLOCK_ROWS):
        for columns in blocks(len(kept), BLOCK_COLUMNS):
            cosines = vectors[rows] @ vectors[kept[columns]].T
            own = np.flatnonzero((place[rows] >= columns.start) & (place[rows] < columns.stop))
            cosines[own, place[rows][own] - columns.start] = -np.inf
            best = cosines.argmax(axis=1)
            value = cosines[np.arange(len(cosines)), best]
            nearer = value > cosine[rows]
            cosine[rows] = np.where(nearer, value, cosine[rows])
            index[rows] = np.where(nearer, kept[columns][best], index[rows])
        report(Step(STAGE, rows.stop, len(vectors)))
    report(Finished(STAGE))
    return Neighbours(_distances(vectors, index), index)


def unit_rows(vectors: Vectors) -> Vectors:
    """The vectors as (N, D) float32. Raises UsageError where a row is not of unit length."""
    vectors = np.ascontiguousarray(vectors, np.float32)
    if vectors.ndim != 2:
        raise UsageError(f"Embeddings have {vectors.ndim} dimensions; they are rows of vectors.")
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    wrong = np.flatnonzero(~(np.abs(lengths - 1) < UNIT_TOLERANCE))
    if len(wrong):
        raise UsageError(
            f"{len(wrong)} of {len(vectors)} embeddings are not of unit length; "
            f"the first is {lengths[wrong[0]]:.4g} long.",
            where=f"row {wrong[0]}",
            mend="divide each by its length",
        )
    return vectors


def blocks(total: int, size: int) -> Iterator[slice]:
    """`0:size`, `size:2*size`, … up to `total`."""
    for start in range(0, total, size):
        yield slice(start, min(start + size, total))


def _distances(vectors: Vectors, index: Indices) -> npt.NDArray[np.float64]:
    """1 - cosine of each item and item `index[i]`, as half the squared distance in float64.

    The difference of equal vectors is 0; 1 minus their product in float32 is not.
    """
    found = np.full(len(vectors), np.inf)
    for rows in blocks(len(vectors), BLOCK_ROWS):
        difference = vectors[rows].astype(np.float64) - vectors[index[rows]]
        found[rows] = np.einsum("ij,ij->i", difference, difference) / 2
    found[index < 0] = np.inf
    return found
