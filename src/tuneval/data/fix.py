"""Fix a set: the records that can stay in one new file, all that was not kept as it stood beside.

Nothing is lost: what is not in the new file as it stood is in the rejects file as it stood.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tuneval import files
from tuneval.data.checking.screen import screen_for
from tuneval.data.cutting.kept import refuse_overwriting
from tuneval.data.data_files import packing_of_name
from tuneval.data.detection import begin
from tuneval.data.finding import Finding
from tuneval.data.origin import is_plain_path, origin
from tuneval.data.profile import Profile
from tuneval.data.profiles import PROFILES
from tuneval.data.record import Record
from tuneval.data.rejects import Rejects
from tuneval.data.repairs.found import How
from tuneval.data.repairs.out import is_lines, new_file
from tuneval.data.repairs.refusals import known_format, local_targets, nothing_left, refuse_pipes
from tuneval.data.repairs.sorting import Sorting
from tuneval.data.repairs.sources import Reading
from tuneval.data.repairs.values import Judge
from tuneval.data.rule import Rule, WholeFileRule
from tuneval.data.rules import RULES
from tuneval.data.taken_out import rejects_file

Progress = Callable[[int, int], object]
_TELL_EVERY = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FixReport:
    """What became of a set's records: `n_read` is the sum of the next three.

    `n_between` counts blank lines, byte order marks and the like: they are no records, and are
    among the rejects too. `dropped_by` counts records by rule and `repaired_by` by repair, so
    that one record may count more than once. `faults` are those of the file as a whole.
    """

    source: str
    out: str
    rejects: str
    how: How
    format: str
    n_read: int
    n_unchanged: int
    n_repaired: int
    n_dropped: int
    n_between: int
    dropped_by: Mapping[str, int]
    repaired_by: Mapping[str, int]
    faults: tuple[Finding, ...] = ()

    @property
    def n_kept(self) -> int:
        """How many records the new file has."""
        return self.n_unchanged + self.n_repaired

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self) | {
            "dropped_by": dict(self.dropped_by),
            "repaired_by": dict(self.repaired_by),
            "n_kept": self.n_kept,
        }


def fix(
    source: files.Location,
    out: files.Location,
    *,
    how: How,
    format: str = "auto",
    profile: str = "everyday",
    and_rules: Sequence[Rule] = (),
    rejects: files.Location | None = None,
    duplicates: Literal["keep", "drop"] = "keep",
    progress: Progress | None = None,
) -> FixReport:
    """Write the records of a set that have no error to `out`, the others to `rejects`.

    `drop` leaves every other record as it is: a line of JSON lines keeps its bytes. `repair`
    first makes the repairs of REPAIRS. With `duplicates="drop"` the first of equal records stays.
    By default the rejects lie beside `out`: `clean.rejects.jsonl` beside `clean.jsonl`.
    `progress` is told how many bytes are done, and how many there are.

    UsageError when a file would be written over the source; DataError, and nothing is written,
    when the format cannot be told or no record is left.
    """
    new, beside = str(out), str(rejects) if rejects is not None else rejects_file(out)
    to_lines = is_lines(new)
    targets = local_targets(source, new, beside)
    refuse_pipes(source)
    wanted: Profile = PROFILES.load(profile)
    rules = _condemning([*(RULES.load(name)() for name in wanted.rules), *and_rules])
    reading = Reading(origin(source), how)
    beginning = begin(reading.origin, format)
    known = known_format(beginning, str(source), wanted)
    if duplicates == "keep" and to_lines and (screen := screen_for(rules, known)):
        reading.passes = screen.passes
    # The rejects get their name first: a new file never stands there without them.
    with new_file(new) as keep, files.atomic_writer(beside) as stream:
        sorting = Sorting(how, known, Judge(known, rules), keep, Rejects(stream))
        if duplicates == "drop":
            sorting.drop_equal_records()
        file = ""
        for item in _telling(beginning.records, source, progress):
            if isinstance(item, Record) and item.source.file != file:
                file = item.source.file
                refuse_overwriting(file, targets)
            sorting.take(item)
        if not sorting.n_kept:
            raise nothing_left(str(source), sorting.n_dropped, sorting.first_error)
    return FixReport(
        source=str(source),
        out=new,
        rejects=beside,
        how=how,
        format=known.name,
        n_read=sorting.n_kept + sorting.n_dropped,
        n_unchanged=sorting.n_unchanged,
        n_repaired=sorting.n_repaired,
        n_dropped=sorting.n_dropped,
        n_between=sorting.n_between,
        dropped_by=dict(sorting.dropped_by.most_common()),
        repaired_by=dict(sorting.repaired_by.most_common()),
        faults=tuple(sorting.faults),
    )


def _condemning(rules: Sequence[Rule]) -> list[Rule]:
    """Those that may condemn a record: not those that only compare records."""
    return [rule for rule in rules if not isinstance(rule, WholeFileRule)]


def _telling(
    items: Iterator[Record | Finding], source: files.Location, progress: Progress | None
) -> Iterator[Record | Finding]:
    """The items; on the way `progress` is told, where the place in a file is known."""
    name = str(source)
    is_file = is_plain_path(name) and os.path.isfile(name) and packing_of_name(name) is None
    n_bytes = os.path.getsize(name) if is_file else 0
    for number, item in enumerate(items):
        if progress is not None and n_bytes and number % _TELL_EVERY == 0:
            offset = getattr(item, "offset", None)
            if offset is not None:
                progress(offset, n_bytes)
        yield item
