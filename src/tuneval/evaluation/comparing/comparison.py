"""What a comparison of two evaluations says, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from tuneval.evaluation.asking.overall import ITEMS
from tuneval.evaluation.items import Item, read_items
from tuneval.evaluation.record import EvaluationResult
from tuneval.statistics.estimate import Estimate

UNTIL_DECIDED = "asked only until decided"
"""How the note begins of a result whose questions ended as soon as a comparison was decided."""

TAKEN_OVER = "taken over from"
"""How the note begins of a result that is a copy of another run's."""

Verdict = Literal["better", "worse", "unclear"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A result and its items."""

    result: EvaluationResult
    items: Sequence[Item]

    @classmethod
    def load(cls, folder: Path) -> Evaluation:
        """The finished evaluation in `folder`. Raises RunError when there is none."""
        return cls(EvaluationResult.load(folder), read_items(folder))


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One metric on both sides, over the items that count on both. `difference` is b less a.

    `over` says what figures and difference are means of: "items", or the tag over whose values the
    task averages (a macro average).
    `verdict` is "better" or "worse" where the interval of the difference excludes 0 and the test
    agrees: resampling two independent groups gives an interval, but shows nothing.
    `p_holm` is adjusted for all metrics of the comparison, or of several comparisons that are
    looked at together (`family.holm_over`). `detectable` is the least true
    difference that this many items would have revealed with 80% probability.
    """

    metric: str
    unit: str
    higher_is_better: bool | None
    is_binary: bool
    a: Estimate
    b: Estimate
    difference: Estimate
    test: str
    p_value: float
    p_holm: float
    n_improved: int
    n_worsened: int
    n_equal: int
    detectable: float | None
    verdict: Verdict
    over: str = ITEMS


@dataclass(frozen=True, slots=True)
class Flip:
    """An item that one model gets right and the other does not."""

    id: str
    source: str
    group: str | None
    prompt: str
    label: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that `compare` found. `improved` and `worsened` flip on `flips_metric`."""

    a: str
    b: str
    a_model: str
    b_model: str
    n_items: int
    n_groups: int | None
    rows: tuple[ComparisonRow, ...]
    flips_metric: str | None
    improved: tuple[Flip, ...]
    worsened: tuple[Flip, ...]
    warnings: tuple[str, ...]
    seed: int

    def row(self, metric: str) -> ComparisonRow | None:
        """The row of a metric, or None."""
        return next((row for row in self.rows if row.metric == metric), None)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Comparison:
        """The comparison that `as_dict` wrote."""
        estimates = ("a", "b", "difference")
        rows = tuple(
            ComparisonRow(**{**row, **{name: Estimate.from_dict(row[name]) for name in estimates}})
            for row in content["rows"]
        )
        flips = {side: tuple(Flip(**f) for f in content[side]) for side in ("improved", "worsened")}
        return cls(**{**content, "rows": rows, "warnings": tuple(content["warnings"]), **flips})
