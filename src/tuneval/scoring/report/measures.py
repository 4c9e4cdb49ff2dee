"""One measure over the whole set: its account, and how its values spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneval.errors import RunError
from tuneval.scoring.reasons import REASONS
from tuneval.scoring.row import ScoreRow
from tuneval.scoring.scorer import Account, Reading
from tuneval.scoring.scores import Scores
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.mean import t_mean
from tuneval.statistics.proportion import clustered_wilson, wilson

Floats = NDArray[np.float64]
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
NO_REASON = "no_reason"
_NO_REASON = ("no reason is recorded", "score the set again")


@dataclass(frozen=True, slots=True)
class Spread:
    """How values lie: those at `QUANTILES`, and their mean with its interval.

    `mean` of perplexities is the geometric one, exp of the mean log-perplexity.
    """

    quantiles: tuple[float, ...]
    mean: Estimate

    @property
    def median(self) -> float:
        """Half of the values are below."""
        return self.quantiles[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureFacts:
    """What is known of a measure. `values` has one for each row, NaN where there is none.

    `above` and `below` are shares of the scored examples beyond the neutral value, where the
    measure has one; `reasons` says of each code in the account what it means and what to do.
    """

    name: str
    reading: Reading
    account: Account
    reasons: dict[str, tuple[str, str]]
    values: Floats
    spread: Spread | None
    above: Estimate | None = None
    below: Estimate | None = None

    @property
    def scored(self) -> Floats:
        """The values there are."""
        return self.values[np.isfinite(self.values)]

    @property
    def n_unscored(self) -> int:
        """Examples without a value."""
        return len(self.values) - self.account.scored

    @property
    def is_constant(self) -> bool:
        """Whether several examples have a value and all the same."""
        return self.account.scored > 1 and float(np.ptp(self.scored)) == 0

    def as_dict(self) -> dict[str, Any]:
        """For JSON, without the values."""
        spread = self.spread
        return {
            "reading": asdict(self.reading),
            **asdict(self.account),
            "quantiles": dict(zip(map(str, QUANTILES), spread.quantiles, strict=True))
            if spread
            else None,
            "mean": spread.mean.as_dict() if spread else None,
            "above_neutral": self.above.as_dict() if self.above else None,
            "below_neutral": self.below.as_dict() if self.below else None,
        }


def measure_facts(scores: Scores) -> list[MeasureFacts]:
    """Every measure of the scores, in their order."""
    return [_facts(name, row, scores.rows) for name, row in _measures(scores).items()]


def spread_of(values: Floats, unit: str) -> Spread | None:
    """How finite values lie; None of nothing."""
    if not len(values):
        return None
    return Spread(tuple(map(float, np.quantile(values, QUANTILES))), mean_of(values, unit))


def mean_of(values: Floats, unit: str) -> Estimate:
    """The mean that suits the unit: of perplexities the geometric one, of shares within 0 and 1."""
    if is_logarithmic(values, unit):
        return t_mean(np.log(values)).mapped(_exp)
    if unit == "share" and values.min() >= 0 and values.max() <= 1 and len(values) > 1:
        return replace(clustered_wilson(values), method="Wilson", n_clusters=None)
    return t_mean(values, unit="share" if unit == "share" else "")


def is_logarithmic(values: Floats, unit: str) -> bool:
    """Whether the values are to be seen by their logarithm."""
    return unit == "perplexity" and bool(len(values)) and float(values.min()) > 0


def _measures(scores: Scores) -> dict[str, dict[str, Any]]:
    measures = scores.card.get("measures")
    if not isinstance(measures, dict):
        raise RunError(
            "The card of the scores names no measures.",
            where=str(scores.folder / "scoring.json"),
            mend="score the set again",
        )
    return measures


def _facts(name: str, row: dict[str, Any], rows: Sequence[ScoreRow]) -> MeasureFacts:
    reading = Reading(**row["reading"])
    values = np.array([_number(each.scores.get(name)) for each in rows], dtype=np.float64)
    scored = values[np.isfinite(values)]
    missing = Counter(
        each.reasons.get(name, NO_REASON)
        for each, value in zip(rows, values, strict=True)
        if not np.isfinite(value)
    )
    known = {NO_REASON: _NO_REASON, **REASONS}
    known |= {code: (text[0], text[1]) for code, text in row.get("own_reasons", {}).items()}
    above = below = None
    if reading.neutral is not None and len(scored):
        above = wilson(int((scored > reading.neutral).sum()), len(scored))
        below = wilson(int((scored < reading.neutral).sum()), len(scored))
    return MeasureFacts(
        name=name,
        reading=reading,
        account=Account(
            scored=len(scored),
            unscored=dict(missing.most_common()),
            truncated=sum(name in each.truncated for each in rows),
        ),
        reasons={code: known.get(code, (code.replace("_", " "), "")) for code in missing},
        values=values,
        spread=spread_of(scored, reading.unit),
        above=above,
        below=below,
    )


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _exp(value: float) -> float:
    return float(np.exp(min(value, 700.0)))
