"""Choosing examples that differ: three ways to cover a set of unit vectors, each row one example.

Rows come in order of rank, best first, and a tie goes to the better rank. Cosines that differ by
less than float32 can tell (1e-6) are equal.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tuneval.errors import UsageError
from tuneval.runs.events import Finished, Report, Started, Step, ignore
from tuneval.scoring.neighbours import (
    Indices,
    Neighbours,
    Vectors,
    blocks,
    nearest_kept,
    unit_rows,
)

__all__ = ["Neighbours", "facility_location", "k_center", "nearest_kept", "threshold_walk"]

STAGE = "diversity"
TIE = 1e-6
REPORT_EVERY = 256
BLOCK_ROWS = 1024
BLOCK_COLUMNS = 8192
BLOCK_COSINES = 4_194_304
# Sums of cosines nearer than this, or than this share of them, are equal.
GAIN_TIE = 1e-5
# k-center: how many of the farthest rows are kept up to date with each choice.
POOL = 4096

Values = npt.NDArray[np.float32]


def k_center(
    vectors: Vectors,
    n: int,
    *,
    start: int | None = 0,
    seed: int = 17,
    report: Report = ignore,
) -> Indices:
    """At most `n` rows in the order chosen, each the farthest from all before it.

    The largest distance (the length of the difference) from any row to its nearest chosen one is
    at most twice the least possible. Gonzalez (1985). `start` is the first, the best ranked;
    None draws it by `seed`.
    """
    vectors = unit_rows(vectors)
    n = _amount(n, len(vectors))
    if n == 0:
        return np.zeros(0, np.int64)
    first = int(np.random.default_rng(seed).integers(len(vectors))) if start is None else start
    if not 0 <= first < len(vectors):
        raise UsageError(f"There is no row {first} among {len(vectors)} to start with.")
    report(Started(STAGE, n, "examples"))
    search = _Farthest(vectors, first)
    chosen = [first]
    while len(chosen) < n:
        farthest = search.find(chosen)
        if farthest is None:  # copies of chosen ones are all that is left
            others = np.setdiff1d(np.arange(len(vectors)), chosen)
            chosen += others[: n - len(chosen)].tolist()
            break
        chosen.append(farthest)
        search.choose(farthest)
        _tell(report, len(chosen), n)
    report(Finished(STAGE, {"chosen": n}))
    return np.array(chosen, np.int64)


def facility_location(vectors: Vectors, n: int, *, report: Report = ignore) -> Indices:
    """At most `n` rows in the order chosen, each the one that makes the chosen stand best for all.

    How well they do is the sum over all rows of the cosine (not below 0) to the nearest chosen
    one; choosing greedily comes to 1 - 1/e of the best possible (Nemhauser et al. 1978). What
    every row would add is kept exact: a choice changes it only by the rows that the chosen one is
    nearest to, a few once some are chosen. (Bounds instead, as in Minoux 1978, cost as much: 27
    to 50 gains computed anew for each choice.)
    """
    vectors = unit_rows(vectors)
    n = _amount(n, len(vectors))
    if n == 0:
        return np.zeros(0, np.int64)
    report(Started(STAGE, n, "examples"))
    everyone = np.arange(len(vectors))
    covered = np.zeros(len(vectors), np.float32)
    gains = _between(vectors, everyone, covered, np.full_like(covered, np.inf))
    chosen: list[int] = []
    while len(chosen) < n:
        best = float(gains.max())
        if best <= GAIN_TIE:  # nothing adds anything any more
            chosen += np.flatnonzero(gains > -np.inf)[: n - len(chosen)].tolist()
            break
        chosen.append(int(np.argmax(gains >= best - GAIN_TIE * max(1.0, best))))
        cosines = vectors @ vectors[chosen[-1]]
        moved = np.flatnonzero(cosines > covered + TIE)
        gains -= _between(vectors, moved, covered[moved], cosines[moved])
        gains[chosen[-1]] = -np.inf
        covered[moved] = cosines[moved]
        _tell(report, len(chosen), n)
    report(Finished(STAGE, {"chosen": n}))
    return np.array(chosen, np.int64)


def threshold_walk(
    vectors: Vectors, threshold: float, *, n: int | None = None, report: Report = ignore
) -> Indices:
    """The rows that are kept when each in turn is left out if it is too like a kept one.

    Too like is a cosine above `threshold`. The walk of Deita (Liu et al. 2024); it ends when `n`
    are kept.
    """
    vectors = unit_rows(vectors)
    n = _amount(len(vectors) if n is None else n, len(vectors))
    report(Started(STAGE, len(vectors), "examples"))
    kept: list[int] = []
    for rows in blocks(len(vectors), BLOCK_ROWS):
        if len(kept) == n:
            break
        nearness = np.full(rows.stop - rows.start, -np.inf, np.float32)
        _see(vectors[rows], vectors[kept], nearness)
        among_rows = vectors[rows] @ vectors[rows].T
        for place in range(len(nearness)):
            if nearness[place] <= threshold + TIE and len(kept) < n:
                kept.append(rows.start + place)
                np.maximum(nearness, among_rows[place], out=nearness)
        report(Step(STAGE, rows.stop, len(vectors), {"kept": len(kept)}))
    report(Finished(STAGE, {"kept": len(kept)}))
    return np.array(kept, np.int64)


class _Farthest:
    """The row that is farthest from all chosen ones, the first of equals.

    A row's cosine to the nearest chosen one can only grow. So of rows that are not among the POOL
    farthest an old value will do, as long as the pool has one that is farther than that.
    """

    def __init__(self, vectors: Vectors, first: int) -> None:
        self._vectors = vectors
        self._nearness = vectors @ vectors[first]  # to the first `n_seen` chosen
        self._n_seen = 1
        self._fill_pool([first])

    def find(self, chosen: list[int]) -> int | None:
        """The farthest; None when the others are all copies of chosen ones."""
        farthest = self._pooled.min()
        if farthest + TIE < self._outside:
            place = _first_near(self._pooled, farthest)
            return int(self._pool[place]) if farthest < 1 - TIE else None
        _see(self._vectors, self._vectors[chosen[self._n_seen :]], self._nearness)
        self._n_seen = len(chosen)
        self._fill_pool(chosen)
        farthest = self._nearness.min()
        return _first_near(self._nearness, farthest) if farthest < 1 - TIE else None

    def choose(self, row: int) -> None:
        """Bring the pool up to date with the row that was chosen."""
        np.maximum(self._pooled, self._pool_vectors @ self._vectors[row], out=self._pooled)
        self._pooled[self._pool == row] = np.inf

    def _fill_pool(self, chosen: list[int]) -> None:
        self._nearness[chosen] = np.inf
        order = np.argpartition(self._nearness, min(POOL, len(self._vectors) - 1))
        self._pool = np.sort(order[:POOL])
        self._pooled, self._pool_vectors = self._nearness[self._pool], self._vectors[self._pool]
        self._outside = float(self._nearness[order[POOL:]].min(initial=np.inf))


def _see(vectors: Vectors, chosen: Vectors, nearness: Values) -> None:
    """Raise `nearness` in place to each vector's largest cosine to the chosen ones."""
    for columns in blocks(len(chosen), BLOCK_COLUMNS):
        for rows in blocks(len(vectors), BLOCK_ROWS):
            cosines = vectors[rows] @ chosen[columns].T
            np.maximum(nearness[rows], cosines.max(axis=1), out=nearness[rows])


def _first_near(values: Values, least: float) -> int:
    """The first place whose value is the least, or equal to it as float32 can tell."""
    return int(np.argmax(values <= least + TIE))


def _between(vectors: Vectors, ones: Indices, low: Values, high: Values) -> npt.NDArray[np.float64]:
    """For every row the sum over `ones` of its cosine's part between low and high, (N,)."""
    found = np.zeros(len(vectors))
    for columns in blocks(len(ones), BLOCK_COLUMNS):
        theirs, bottom, top = vectors[ones[columns]].T, low[columns], high[columns]
        for rows in blocks(len(vectors), BLOCK_COSINES // len(bottom)):
            part = vectors[rows] @ theirs
            np.minimum(np.maximum(part, bottom, out=part), top, out=part)
            part -= bottom
            found[rows] += part.sum(axis=1, dtype=np.float64)
    return found


def _amount(n: int, available: int) -> int:
    if n < 0:
        raise UsageError(f"{n} examples were asked for.", mend="ask for 0 or more")
    return min(n, available)


def _tell(report: Report, done: int, total: int) -> None:
    if done % REPORT_EVERY == 0 or done == total:
        report(Step(STAGE, done, total))
