"""Which of many alike remain: diversity by embeddings, in each stratum by itself.

`k_center` and `facility_location` order a pool of the best-ranked by what each adds to those
before it; `threshold` walks down the ranks and leaves out what is too much like one that is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tuneval.errors import UsageError
from tuneval.runs.events import Report, ignore
from tuneval.scoring.selection.candidate import Candidate, Undefined
from tuneval.scoring.selection.config import SelectConfig
from tuneval.scoring.selection.diversity import (
    facility_location,
    k_center,
    nearest_kept,
    threshold_walk,
)
from tuneval.scoring.selection.outcome import Nearest, Rejection

Vectors = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]
"""Texts to rows of unit length, (N, D)."""


@dataclass(frozen=True)
class Embeddings:
    """The texts of examples by id, and what encodes texts: each once, when it is asked for."""

    texts: Mapping[str, str]
    encode: Encode
    _rows: dict[str, Vectors] = field(default_factory=dict)

    def demand(self, candidate: Candidate) -> str | Undefined:
        """The text, or that there is none."""
        text = self.texts.get(candidate.id, "")
        return text if text.strip() else Undefined("unscored:embedding:no_embedding")

    def of(self, candidates: Sequence[Candidate]) -> Vectors:
        """A row each, (N, D)."""
        missing = [each.id for each in candidates if each.id not in self._rows]
        if missing:
            rows = self.encode([self.texts[id] for id in missing])
            self._rows.update(zip(missing, rows, strict=True))
        return np.stack([self._rows[each.id] for each in candidates])


class Thinning:
    """Orders and thins groups of ranked candidates as the config asks."""

    def __init__(
        self, config: SelectConfig, embeddings: Embeddings | None, report: Report = ignore
    ) -> None:
        if embeddings is None:
            raise UsageError("Diversity is asked for, and there are no embeddings of the texts.")
        self._config = config
        self._embeddings = embeddings
        self._report = report

    def begin(self, groups: Mapping[str, Sequence[Candidate]]) -> None:
        """Encode the texts of all groups at once. Of several groups no bar is drawn for each."""
        together = [each for group in groups.values() for each in group]
        if together:
            self._embeddings.of(together)
        if len(groups) > 1:
            self._report = ignore

    def ordered(self, group: Sequence[Candidate], n: int) -> list[Candidate]:
        """The first `n` of a group, each adding most to those before it."""
        if not n:
            return []
        rows = self._embeddings.of(group)
        if self._config.diverse_by == "k_center":
            seed = self._config.seed
            picked = k_center(rows, n, start=0, seed=seed, report=self._report)
        else:
            picked = facility_location(rows, n, report=self._report)
        return [group[place] for place in picked]

    def walked(self, group: Sequence[Candidate], n: int | None) -> list[Candidate]:
        """The first `n` of the group that are not too much like one that stands before them."""
        rows = self._embeddings.of(group)
        kept = threshold_walk(rows, self._config.threshold, n=n, report=self._report)
        return [group[place] for place in kept]

    def rejections(
        self, group: Sequence[Candidate], chosen: Sequence[Candidate], ranks: Mapping[str, int]
    ) -> dict[str, Rejection]:
        """Why each of the group that is not chosen is out, with the chosen one it is most like."""
        ids = {each.id for each in chosen}
        out = [each for each in group if each.id not in ids]
        if not out or not chosen:
            return {each.id: Rejection("below_top", ranks[each.id]) for each in out}
        both = [*chosen, *out]
        near = nearest_kept(self._embeddings.of(both), range(len(chosen)), report=self._report)
        found = {}
        for place, each in enumerate(out, start=len(chosen)):
            nearest = Nearest(both[near.index[place]].id, 1 - float(near.distance[place]))
            found[each.id] = Rejection(self._reason(nearest), ranks[each.id], nearest)
        return found

    def _reason(self, nearest: Nearest) -> str:
        if self._config.diverse_by != "threshold":
            return "less_diverse"
        return "near_kept" if nearest.similarity >= self._config.threshold else "below_top"
