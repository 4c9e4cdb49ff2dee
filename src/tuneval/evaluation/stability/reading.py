"""How much runs may differ before one looks for the cause: the rule of thumb, on the run part.

Below 1 point between runs is noise, 1 to 3 is to be watched, above 5 is to be looked into. What the
rule leaves open, 3 to 5, counts as to be watched. People apply it to the standard deviation of a
few scores, which holds the luck of the items' own draws too; here it is applied to the run part.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from tuneval.statistics.estimate import Estimate

Kind = Literal["noise", "watch", "investigate"]
NOISE_BELOW, INVESTIGATE_ABOVE = 1.0, 5.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What the run part says, and `at_most`, what its upper limit would say; None without one."""

    kind: Kind
    at_most: Kind | None

    @property
    def is_sure(self) -> bool:
        """Whether the upper limit says the same."""
        return self.at_most in (None, self.kind)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"is_sure": self.is_sure}


def read_spread(run_part: Estimate) -> Reading | None:
    """The reading of a standard deviation between runs; None for what is not counted in points."""
    if run_part.unit not in ("share", "points"):
        return None
    scale = 100.0 if run_part.unit == "share" else 1.0
    high = run_part.high
    return Reading(_kind(run_part.value * scale), None if high is None else _kind(high * scale))


def _kind(points: float) -> Kind:
    if points < NOISE_BELOW:
        return "noise"
    return "investigate" if points > INVESTIGATE_ABOVE else "watch"
