"""Whether a record can stay, and the repairs of one that was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuneval import files
from tuneval.data.containers.json_lines import LineReader
from tuneval.data.draft import Draft
from tuneval.data.finding import Finding, has_error
from tuneval.data.format import Format
from tuneval.data.record import Record
from tuneval.data.repairs import REPAIRS
from tuneval.data.repairs.found import Done, Found
from tuneval.data.rule import Rule

_AROUND = b", \t\r\n"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A record as it would be written, what is still wrong with it, and what was repaired."""

    draft: Draft
    findings: tuple[Finding, ...]
    done: tuple[Done, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Why it cannot stay."""
        return tuple(finding for finding in self.findings if finding.severity == "error")


class Judge:
    """Looks at records of one format by the given rules."""

    def __init__(self, format: Format, rules: Sequence[Rule]) -> None:
        self._format = format
        self._rules = rules

    def look(self, draft: Draft) -> Verdict:
        """What is wrong with the record as it stands."""
        found = [*draft.findings, *(f for rule in self._rules for f in rule.see(draft))]
        if draft.item is None and not has_error(found):
            what = f"The record holds nothing that the format {self._format.name} can use."
            found.append(draft.finding("shape.no_item", what, mend="complete it or remove it"))
        return Verdict(draft, tuple(found))

    def repair(self, draft: Draft) -> Verdict:
        """The record with all repairs, or with those alone that it cannot stay without.

        A repair that is not needed is not made where the record could not stay after it.
        """
        verdict = self._repaired(self.look(draft), only_errors=True)
        if verdict.errors:
            return verdict
        polished = self._repaired(verdict, only_errors=False)
        return verdict if polished.errors else polished

    def _repaired(self, verdict: Verdict, *, only_errors: bool) -> Verdict:
        while verdict.draft.record.value is not None:
            wanted = [f for f in verdict.findings if not only_errors or f.severity == "error"]
            value, done = _changed(verdict.draft, wanted)
            if not done:
                break
            draft = self._format.draft(_record_with(verdict.draft.record, value))
            verdict = replace(self.look(draft), done=(*verdict.done, *done))
        return verdict


def _changed(draft: Draft, findings: Sequence[Finding]) -> tuple[dict[str, Any], list[Done]]:
    """The record's value with a repair for each finding that has one.

    A repair that moves turns comes alone: the findings' places are right no more after it.
    """
    value = draft.record.value or {}
    done: list[Done] = []
    for finding in findings:
        for repair in REPAIRS.get(finding.rule, ()):
            if repair.value is None or (repair.moves and done):
                continue
            made = repair.value(value, draft, finding)
            if made is None:
                continue
            value = made
            done.append(Done(repair.name, finding.rule, finding.what))
            if repair.moves:
                return value, done
    return value, done


def _record_with(record: Record, value: dict[str, Any]) -> Record:
    """The record with another value. JSON is read anew, for its flaws may be gone."""
    if not record.raw.strip(_AROUND).startswith(b"{"):
        return replace(record, value=value)
    line = files.json_bytes(value) + b"\n"
    read = LineReader(record.source.file).record(record.source, line, 0)
    if isinstance(record, Found):
        return replace(record, value=read.value, findings=read.findings, raw=line)
    return read
