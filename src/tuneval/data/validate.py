"""Check a file: all that is wrong with it, where, and how to mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuneval import files
from tuneval.data.draft import Draft
from tuneval.data.finding import Finding, Severity, has_error
from tuneval.data.read import drafts
from tuneval.data.rule import Rule
from tuneval.data.rules import RULES

_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """All findings of one kind, in the order of the file."""

    rule: str
    severity: Severity
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found. `n_usable` records have no error; broken ones count in `n_records`."""

    file: str
    format: str | None
    format_reason: str
    findings: tuple[Finding, ...]
    n_records: int
    n_usable: int

    @property
    def exit_status(self) -> int:
        """0 when there is no error (warnings do not count), else 1."""
        return int(has_error(self.findings))

    @property
    def counts(self) -> dict[Severity, int]:
        """How many findings of each severity."""
        found = Counter(finding.severity for finding in self.findings)
        return {severity: found[severity] for severity in _SEVERITIES}

    def by_rule(self) -> list[RuleFindings]:
        """The findings grouped, errors first, then the most frequent."""
        groups: dict[tuple[Severity, str], list[Finding]] = {}
        for finding in self.findings:
            groups.setdefault((finding.severity, finding.rule), []).append(finding)
        ordered = sorted(groups.items(), key=lambda g: (_SEVERITIES.index(g[0][0]), -len(g[1])))
        return [RuleFindings(rule, severity, tuple(f)) for (severity, rule), f in ordered]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`; it holds every finding."""
        return {
            "file": self.file,
            "format": self.format,
            "format_reason": self.format_reason,
            "n_records": self.n_records,
            "n_usable": self.n_usable,
            "exit_status": self.exit_status,
            "counts": self.counts,
            "findings": [finding.as_dict() for finding in self.findings],
        }


def check(
    path: files.Location, format: str = "auto", rules: Sequence[str] | None = None
) -> CheckReport:
    """Everything that is wrong with a file. Bad content is found, never raised.

    `rules` names rows of RULES, all of them by default. UsageError when there is no such file,
    format or rule.
    """
    active: list[Rule] = [RULES.load(name)() for name in (RULES if rules is None else rules)]
    found = drafts(path, format)
    findings: list[Finding] = []
    n_records = n_usable = 0
    for item in found.items:
        if isinstance(item, Finding):
            findings.append(item)
            continue
        n_records += 1
        own = _look(item, active)
        n_usable += item.item is not None and not has_error(own)
        findings += own
    for rule in active:
        findings += rule.finish()
    name = found.detection.format.name if found.detection.format else None
    return CheckReport(
        str(path), name, found.detection.reason, tuple(findings), n_records, n_usable
    )


def _look(draft: Draft, rules: Sequence[Rule]) -> list[Finding]:
    return [*draft.findings, *(finding for rule in rules for finding in rule.see(draft))]
