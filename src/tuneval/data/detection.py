"""A look at the first records of a set, to tell its format."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from tuneval import files
from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.format import Detection, Format, all_formats, detect
from tuneval.data.formats import FORMATS
from tuneval.data.origin import Origin
from tuneval.data.record import Record, finding_at

N_LOOKED_AT = 100
_MOST_HELD = 1000


@dataclass(frozen=True, slots=True)
class Unknown:
    """That the format cannot be told, and the first record that could be read."""

    first: Source
    finding: Finding


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the first records show. `first` is the first one that could be read, if one was.

    `records` are all of the set, those looked at included.
    """

    detection: Detection
    first: Source | None
    records: Iterator[Record | Finding]

    @property
    def unknown(self) -> Unknown | None:
        """What there is to say when the format cannot be told although records could be read."""
        if self.detection.format is not None or self.first is None:
            return None
        names = ", ".join(f"{row.name} ({row.keys})" for row in all_formats())
        finding = finding_at(
            self.first,
            "format.unknown",
            f"The format cannot be told: {self.detection.reason}.",
            mend=f"formats that are read: {names}; --format insists on one",
        )
        return Unknown(self.first, finding)


def begin(found: Origin, format: str = "auto") -> Beginning:
    """The set's format, by its first hundred records that can be read unless one is asked for."""
    asked: Format | str = found.format if format == "auto" else format
    records = found.records()
    if asked != "auto":
        known = asked if isinstance(asked, Format) else FORMATS.load(asked)
        return Beginning(Detection(known, "as asked"), None, records)
    held: list[Record | Finding] = []
    values: list[dict[str, Any]] = []
    first = None
    n_items = 0
    most_held = _MOST_HELD if can_be_read_again(found) else sys.maxsize
    for item in records:
        n_items += 1
        if n_items <= most_held:
            held.append(item)
        if isinstance(item, Record) and item.value is not None:
            first = first or item.source
            values.append(item.value)
            if len(values) == N_LOOKED_AT:
                break
    # Where hardly a record can be read the search goes on, and what was seen is not held.
    records = chain(held, records) if n_items <= most_held else found.records()
    detection = detect(values) if values else Detection(None, "no record could be read")
    return Beginning(detection, first, records)


def can_be_read_again(found: Origin) -> bool:
    """Whether its bytes are still there when they have been read: those of a pipe are not."""
    file = found.file
    return file is None or files.is_url(file) or os.path.isfile(file) or os.path.isdir(file)
