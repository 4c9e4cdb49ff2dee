"""What a selection comes to: who is chosen, why each of the others is not, and the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

DUPLICATE, NOT_SCORED = "duplicate", "not_scored"
"""Why a record is out before its example is looked at."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The kept example that is most like a rejected one, and the cosine of the two."""

    id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an example is out. `rank` counts from 1 among the ranked, where it came so far.

    `keep:EXPRESSION` does not hold; `unscored:MEASURE:CODE`, `no_task`, `no_field:NAME` or
    `undefined:…`: what was asked has no value for it; `below_top`: enough were better ranked;
    `less_diverse` and `near_kept`: it adds least to what is kept, or is too much like one of it.
    """

    reason: str
    rank: int | None = None
    nearest: Nearest | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the funnel: how many came out of it, and how many stayed behind, by reason."""

    name: str
    left: int
    rejected: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Stratum:
    """Distinct examples of one value: in the set, left by the filters, chosen, in the baseline."""

    offered: int
    eligible: int
    chosen: int
    random: int


@dataclass(frozen=True, slots=True)
class Size:
    """How much was to be chosen, of how much, and how much it came to, in `unit`."""

    unit: str
    offered: int
    asked: int
    chosen: int


@dataclass(frozen=True)
class Selection:
    """Every example is either chosen (in the order of rank) or has a reason why it is not.

    `random` is the baseline: as many, drawn from all examples; its order is that of the draw.
    `size` is None where no amount was asked for; `strata` is empty without a quota.
    """

    chosen: tuple[str, ...]
    rejected: Mapping[str, Rejection]
    random: tuple[str, ...]
    funnel: tuple[Stage, ...]
    size: Size | None = None
    strata: Mapping[str, Stratum] = field(default_factory=dict)

    @property
    def reasons(self) -> dict[str, int]:
        """How many examples are out for each reason, the most frequent first."""
        counted = Counter(each.reason for each in self.rejected.values())
        return dict(sorted(counted.items(), key=lambda row: (-row[1], row[0])))


_MEANINGS = {
    DUPLICATE: "an earlier record of the set says the same",
    NOT_SCORED: "the scores do not know it: the set has changed since, or was scored in part",
    "below_top": "enough were ranked above it",
    "less_diverse": "it adds less to what is kept than those that were taken",
    "near_kept": "it is too much like one that is kept and ranks above it",
    "no_task": "it has no task",
    "undefined:log": "the logarithm of such a number is not defined",
    "undefined:division_by_zero": "a division by zero",
    "undefined:too_large": "the number is too large",
}


def meaning_of_reason(reason: str, measured: Mapping[str, Sequence[str]]) -> str:
    """A reason in words; `measured` are those of the measures: what it means, and what to do."""
    kind, _, rest = reason.partition(":")
    if kind == "keep":
        return "the expression does not hold"
    if kind == "unscored":
        measure, _, code = rest.partition(":")
        known = measured.get(code)
        return f"no value of {measure}: {known[0]}" if known else f"no value of {measure}"
    if kind in ("no_field", "no_number"):
        return f"its '{rest}' is {'missing' if kind == 'no_field' else 'no number'}"
    return _MEANINGS.get(reason, reason)
