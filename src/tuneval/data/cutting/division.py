"""How a set is to be parted: the names and shares of the parts, and what decides."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from tuneval.data.split import By, refuse_unknown_by
from tuneval.errors import UsageError

# What split.json says beside the parts; a part's name is a key there as well.
RESERVED = frozenset(
    {"source", "by", "seed", "stratify", "exact", "strata", "share", "asked", "split"}
    | {"on_both_sides", "n_on_both_sides", "n_groups_of_several_strata"}
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_EXAMPLE = "train=0.8,valid=0.1,test=0.1"


@dataclass(frozen=True, kw_only=True)
class Division:
    """The parts with their shares, which sum to 1, and how the sides are chosen.

    A hash of each record's key decides, so that records that come later move none: the shares
    are met nearly. `exact` meets them as nearly as whole groups can, in each stratum, by ranking
    all keys; records that come later can then move a few others from one part to the next.
    `stratify` names a facet (see `Facet`); without `exact` its shares are only counted.
    """

    parts: Mapping[str, float] = field(default_factory=lambda: {"train": 0.75, "held_out": 0.25})
    by: By = "group"
    seed: int = 17
    stratify: str | None = None
    exact: bool = False

    def __post_init__(self) -> None:
        refuse_unknown_by(self.by)
        _refuse_bad_parts(self.parts)

    @property
    def names(self) -> list[str]:
        """The parts' names."""
        return list(self.parts)

    def part_at(self, position: float) -> int:
        """The number of the part that a key at that place in [0, 1) belongs to.

        The last part begins at 0, so `train=0.8,valid=0.1,test=0.1` tests on some of what
        `train=0.75,held_out=0.25` holds out, and a larger last part keeps what a smaller one had.
        """
        return len(self.parts) - 1 - min(bisect_right(self._bounds, position), len(self.parts) - 1)

    @property
    def backward_shares(self) -> list[float]:
        """The shares from the last part to the first, as `FairOrder.parted` wants them."""
        return list(self.parts.values())[::-1]

    @property
    def _bounds(self) -> list[float]:
        return list(accumulate(self.backward_shares))[:-1]


def halves(held_out: float) -> dict[str, float]:
    """The two parts that a held-out share gives."""
    return {"train": 1 - held_out, "held_out": held_out}


def parse_parts(text: str) -> dict[str, float]:
    """The parts that `train=0.8,valid=0.1,test=0.1` names. UsageError when it is not of that form.

    One part may have the rest: `train=rest,test=0.1`.
    """
    parts: dict[str, float] = {}
    rest: list[str] = []
    for piece in text.split(","):
        name, mark, share = (word.strip() for word in piece.partition("="))
        if not mark or name in parts:
            reason = f"'{name}' stands twice" if name in parts else f"'{piece}' is no NAME=SHARE"
            raise UsageError(f"Parts are given as {_EXAMPLE}: {reason}.", mend=_EXAMPLE)
        parts[name] = 0.0 if share == "rest" else _share(name, share)
        rest += [name] * (share == "rest")
    if len(rest) > 1:
        raise UsageError("Only one part can have the rest.", mend=_EXAMPLE)
    for name in rest:
        parts[name] = round(1 - sum(parts.values()), 12)
    return parts


def _share(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"The share of '{name}' is no number: '{text}'.", mend=_EXAMPLE) from None


def _refuse_bad_parts(parts: Mapping[str, float]) -> None:
    for name, share in parts.items():
        if not _NAME.fullmatch(name) or name in RESERVED:
            raise UsageError(
                f"A part cannot be called '{name}': it names a file and a key of split.json.",
                mend="letters, digits, - and _, such as train, valid, test",
            )
        if not 0 < share < 1:
            raise UsageError(
                f"A share of {share:g} for '{name}' makes no sense.", mend="above 0 and below 1"
            )
    if len(parts) < 2:
        raise UsageError("A split needs two parts or more.", mend=_EXAMPLE)
    if not math.isclose(total := sum(parts.values()), 1, abs_tol=1e-6):
        raise UsageError(
            f"The shares of the parts sum to {total:g}, not to 1.",
            mend=f"{_EXAMPLE}; or give one of them the rest: train=rest,test=0.1",
        )
