"""How a check goes about a set: what it is at first, then every record, then the whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain

from tuneval import files
from tuneval.data.checking.demands import Demands
from tuneval.data.checking.finding_tally import FindingTally, OnFinding
from tuneval.data.checking.inspection import Inspection
from tuneval.data.checking.parts import Part, PartCheck, PartFound, can_be_merged, cut, most_parts
from tuneval.data.checking.processes import in_processes, n_cpus, travels
from tuneval.data.containers import kind_of_container
from tuneval.data.detection import begin, can_be_read_again
from tuneval.data.finding import Finding, has_error
from tuneval.data.format import Detection, Format
from tuneval.data.formats import FORMATS
from tuneval.data.origin import Origin
from tuneval.data.profile import Profile
from tuneval.data.read import all_drafts, no_records
from tuneval.data.record import Record
from tuneval.data.rule import Rule
from tuneval.data.sniff import BOM
from tuneval.errors import StorageError

LARGE_BYTES = 32 << 20

Progress = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class Examined:
    """What an examination shows."""

    detection: Detection
    container: str | None
    tally: FindingTally


class Examination:
    """One check of one set; `rules` have not seen anything."""

    def __init__(
        self,
        found: Origin,
        profile: Profile,
        format: str,
        rules: tuple[Rule, ...],
        *,
        keep: int | None,
        on_finding: OnFinding | None,
        progress: Progress | None,
    ) -> None:
        self._found = found
        self._profile = profile
        self._rules = rules
        self._keep = keep
        self._on_finding = on_finding
        self._progress = progress
        self._beginning = begin(found, format)
        self._inspection = Inspection(rules, keep=keep, on_finding=on_finding)

    def run(self, workers: int | None) -> Examined:
        """Everything there is to say of the set, counted."""
        container = _container(self._found)
        demands = Demands(self._profile, self._found.name, container)
        for finding in demands.broken(self._beginning):
            self._inspection.note(finding)
        if container == "json lines" and (said := self._said_of_lines()) is not None:
            rules = self._look_at_lines(said, workers)
        else:
            drafts = all_drafts(self._found.name, self._beginning)
            self._inspection.look(demands.without_doubles(drafts))
            rules = self._rules
        for rule in rules:
            for finding in rule.finish():
                self._inspection.note(finding)
        return Examined(self._beginning.detection, container, self._inspection.tally)

    def _said_of_lines(self) -> list[Finding] | None:
        """What is said of a local file of JSON lines before its first line.

        None when it is no such file, is refused, or has records that run over several lines.
        """
        format = self._beginning.detection.format
        if format is not None and not _is_a_row(format):
            return None  # one that only the origin knows
        if self._found.file is None or files.is_url(self._found.file):
            return None
        seen: list[Record | Finding] = []
        said: list[Finding] = []
        for item in self._beginning.records:
            seen.append(item)
            if isinstance(item, Record) or item.rule == "file.blank_line":
                if not has_error(said):
                    return said
                break
            said.append(item)
        records = chain(seen, self._beginning.records)
        self._beginning = replace(self._beginning, records=records)
        return None

    def _look_at_lines(self, said: list[Finding], workers: int | None) -> tuple[Rule, ...]:
        """Check a local file of JSON lines; the rules that have something to say at the end."""
        file = self._found.name
        for finding in said:
            self._inspection.note(finding)
        shown = self._in_parts(file, workers)
        for finding in shown.ends.findings(file):
            self._inspection.note(finding)
        if self._inspection.tally.n_records == 0:
            self._inspection.note(no_records(file))
        return shown.rules

    def _in_parts(self, file: str, workers: int | None) -> PartFound:
        """The parts one after the other, or by several processes: cut in the same places."""
        start = _start_of_lines(file)
        n_bytes = os.path.getsize(file)
        format = self._beginning.detection.format
        work = PartCheck(
            file,
            None if format is None else format.name,
            self._beginning.unknown,
            self._rules,
            # Who wants to be told every finding gets them from here: no part may leave one out.
            self._keep if self._on_finding is None else None,
        )
        if not can_be_merged(self._rules):
            return self._joined([work.do(Part(start, line=1))], n_bytes)
        n_wanted = (n_cpus() if n_bytes >= LARGE_BYTES else 1) if workers is None else workers
        n_workers = min(n_wanted, most_parts(n_bytes))
        if n_workers <= 1 or not travels(work):
            return self._joined(map(work.do, cut(file, start)), n_bytes)
        parts = in_processes(work, cut(file, start), n_workers=n_workers, where=file)
        with closing(parts):
            return self._joined(parts, n_bytes)

    def _joined(self, parts: Iterable[PartFound], n_bytes: int) -> PartFound:
        """What all parts show together, told and counted on the way."""
        whole: PartFound | None = None
        for shown in parts:
            if self._on_finding is not None:
                for finding in shown.tally.findings:
                    self._on_finding(finding)
            if whole is None:
                whole = shown
            else:
                whole.merge(shown)
            self._inspection.tally.merge(shown.tally)
            if self._progress is not None:
                self._progress(shown.end, n_bytes)
        if whole is None:
            raise StorageError(
                "The file was emptied while it was read.",
                where=self._found.name,
                mend="wait until whoever writes it is done, then check again",
            )
        return whole


def _container(found: Origin) -> str | None:
    """How the records lie, where the set is a file or folder that can be looked into twice."""
    if found.file is None or not can_be_read_again(found):
        return None
    return kind_of_container(found.file)


def _is_a_row(format: Format) -> bool:
    """Whether other processes find the format by its name."""
    return format.name in FORMATS and FORMATS.load(format.name) is format


def _start_of_lines(file: str) -> int:
    """Where the first line begins: after a byte order mark, if there is one."""
    with files.open_bytes(file) as stream:
        return len(BOM) if stream.read(len(BOM)) == BOM else 0
