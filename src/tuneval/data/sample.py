"""Some records of a set, drawn by a seed: every record, or every group, has the same chance.

The set is read twice, first to draw, then to pass on what was drawn; 10 bytes are kept for each
record, 100 while drawing. With the same seed a larger sample holds every smaller one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tuneval import files
from tuneval.data.cutting.drawing import Strata, Units, key_hash
from tuneval.data.cutting.facet import Facet
from tuneval.data.cutting.kept import Kept, kept_records
from tuneval.data.cutting.kept_files import kept_files
from tuneval.errors import DataError, UsageError

Unit = Literal["record", "group"]


@dataclass(frozen=True, kw_only=True)
class Draw:
    """How many to draw, `n` or a `share`, of records or of whole groups.

    A record without a group is a group of its own. `stratify` names a facet (see `Facet`) whose
    values keep their shares as nearly as whole units can.
    """

    n: int | None = None
    share: float | None = None
    by: Unit = "record"
    seed: int = 17
    stratify: str | None = None

    def __post_init__(self) -> None:
        if (self.n is None) == (self.share is None):
            raise UsageError("A sample has a number or a share.", mend="give --n or --share")
        if self.n is not None and self.n < 1:
            raise UsageError(f"A sample of {self.n} makes no sense.", mend="at least 1")
        if self.share is not None and not 0 < self.share <= 1:
            raise UsageError(
                f"A share of {self.share:g} makes no sense.", mend="above 0 and at most 1"
            )
        if self.by not in ("record", "group"):
            raise UsageError(f"A sample is by record or group, not by {self.by!r}.", mend="group")

    def n_of(self, n_units: int) -> int:
        """How many of so many units: never more than there are, never none."""
        asked = self.n if self.n is not None else max(1, round((self.share or 0) * n_units))
        return min(asked, n_units)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was drawn. `chosen` says it of each record; `strata` counts drawn and all records.

    `n_units` and `n_drawn_units` count records, or groups where whole groups are drawn.
    """

    source: str
    draw: Draw
    chosen: NDArray[np.bool_]
    n_units: int
    n_drawn_units: int
    strata: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def n_records(self) -> int:
        """Records of the set."""
        return len(self.chosen)

    @property
    def n_drawn(self) -> int:
        """Records drawn."""
        return int(self.chosen.sum())

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        content: dict[str, Any] = {
            "source": self.source,
            "n": self.draw.n,
            "share": self.draw.share,
            "by": self.draw.by,
            "seed": self.draw.seed,
            "n_records": self.n_records,
            "n_drawn": self.n_drawn,
            f"n_{self.draw.by}s_drawn": self.n_drawn_units,
        }
        if self.draw.stratify is not None:
            strata = {name: {"drawn": d, "of": n} for name, (d, n) in self.strata.items()}
            content |= {"stratify": self.draw.stratify, "strata": strata}
        return content


def sample(location: files.Location, draw: Draw, *, format: str = "auto") -> Sample:
    """Draw from a set; `drawn_records` gives the records."""
    units = Units()
    facet = Facet(draw.stratify) if draw.stratify else None
    strata = Strata(draw.stratify or "")
    totals: Counter[int] = Counter()
    for number, record in enumerate(kept_records(location, format)):
        stratum = strata.number(facet.of(record.item)) if facet else 0
        totals[stratum] += 1
        units.add(key_hash(_unit(record, number, draw.by), draw.seed), stratum)
    if facet:
        facet.refuse_if_absent()
    order = units.in_fair_order()
    n_drawn = draw.n_of(order.n_units)
    chosen = order.first(n_drawn)
    drawn = np.bincount(units.strata[chosen], minlength=len(strata.values))
    return Sample(
        source=str(location),
        draw=draw,
        chosen=chosen,
        n_units=order.n_units,
        n_drawn_units=n_drawn,
        strata={v: (int(drawn[i]), totals[i]) for i, v in enumerate(strata.values)},
    )


def drawn_records(
    location: files.Location,
    drawn: Sample,
    *,
    format: str = "auto",
    target: files.Location | None = None,
) -> Iterator[Kept]:
    """The records drawn, in the order of the set. DataError when the set has changed meanwhile.

    UsageError when `target`, the file that is to be written, belongs to the set.
    """
    targets = () if target is None else (target,)
    n_records = 0
    for record in kept_records(location, format, targets=targets):
        if n_records < drawn.n_records and drawn.chosen[n_records]:
            yield record
        n_records += 1
    if n_records != drawn.n_records:
        raise DataError(
            "The set changed while it was read.",
            where=str(location),
            mend="draw from it when nobody writes to it",
        )


def sample_file(
    location: files.Location,
    target: files.Location,
    draw: Draw,
    *,
    format: str = "auto",
    to: str | None = None,
) -> Sample:
    """Write what is drawn into a file of any container, whole or not at all.

    Records keep their format, or are written in the format `to`.
    """
    drawn = sample(location, draw, format=format)
    with kept_files([target], to) as (write,):
        for record in drawn_records(location, drawn, format=format, target=target):
            write(record)
    return drawn


def _unit(record: Kept, number: int, by: Unit) -> str:
    """Copies of a record are units of their own, so the place decides and not the content."""
    if by == "group" and record.item.group is not None:
        return f"group {record.item.group}"
    return f"record {number}"
