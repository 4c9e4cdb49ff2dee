"""The scores of one example, as they stand in `scores.jsonl`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """`scores` has every measure's value, None where `reasons` says why there is none.

    `parts` are the measurements behind a value: for each measure a list of
    `{"part", "turn", "nll", "n_tokens"}`, NLL in nats summed over the tokens, float64.
    `truncated` counts the target tokens that did not fit, by measure.
    """

    id: str
    where: str
    task: str | None
    scores: dict[str, float | None]
    reasons: dict[str, str] = field(default_factory=dict)
    parts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    truncated: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> ScoreRow:
        """The row that `as_dict` wrote."""
        return cls(**row)
