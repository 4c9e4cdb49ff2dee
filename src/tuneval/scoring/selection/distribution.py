"""How a measure is spread over a set: mean with its interval, and quantiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tuneval.scoring.row import ScoreRow
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.mean import t_mean
from tuneval.statistics.sample import is_clustered

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Distribution:
    """Of the examples that have a value; `unscored` counts those that have none."""

    mean: Estimate
    quantiles: tuple[float, ...]
    unscored: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON; the quantiles by their names, `0.05` to `0.95`."""
        named = {str(q): value for q, value in zip(QUANTILES, self.quantiles, strict=True)}
        return {"mean": self.mean.as_dict(), "quantiles": named, "unscored": self.unscored}


def distribution(
    rows: Sequence[ScoreRow], measure: str, groups: Mapping[str, str | None]
) -> Distribution | None:
    """The spread of a measure over some examples, None where none has a value.

    The interval is Student's. Examples of one of the `groups`, by id, are not independent: it is
    clustered by them.
    """
    scored = [(row.id, value) for row in rows if (value := row.scores.get(measure)) is not None]
    if not scored:
        return None
    values = [value for _, value in scored]
    clusters = [groups.get(id) for id, _ in scored]
    mean = t_mean(values, clusters=clusters if is_clustered(clusters) else None)
    return Distribution(
        mean, tuple(np.quantile(values, QUANTILES).tolist()), len(rows) - len(scored)
    )
