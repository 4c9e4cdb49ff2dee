"""A cell of an ablation: every combination of data, method and setting beside the baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tuneval.evaluation.comparing.comparison import ComparisonRow


@dataclass(frozen=True, slots=True)
class AblationRow:
    """One cell, task and metric: its levels by axis, and its difference to the baseline.

    `task` is None on the held-out side.
    """

    levels: Mapping[str, str]
    baseline: str
    cell: str
    difference: ComparisonRow
    task: str | None = None

    @property
    def sides(self) -> tuple[str, str]:
        """What its comparison calls the baseline and the cell."""
        end = "" if self.task is None else f"/{self.task}"
        return self.baseline + end, self.cell + end

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
