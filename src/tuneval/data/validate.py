"""Check a set: all that is wrong with it, where, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tuneval import files
from tuneval.data.checking.examination import Examination, Progress
from tuneval.data.checking.finding_tally import KEPT_PER_RULE, OnFinding
from tuneval.data.finding import Finding, Severity
from tuneval.data.formats import FORMATS
from tuneval.data.origin import origin
from tuneval.data.profile import Profile
from tuneval.data.profiles import PROFILES
from tuneval.data.rule import Rule
from tuneval.data.rules import RULES
from tuneval.errors import UsageError

_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """The findings of one kind, in the order of the set: those kept, and how many there were."""

    rule: str
    severity: Severity
    findings: tuple[Finding, ...]
    count: int


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found. `n_usable` records have no error; broken ones count in `n_records`.

    `findings` are the first ones of each rule; `totals` has how many there were of each severity
    and rule. `container` is how the records lie in the file, None when it is no single file.
    """

    file: str
    format: str | None
    format_reason: str
    findings: tuple[Finding, ...]
    n_records: int
    n_usable: int
    profile: str
    container: str | None = None
    totals: dict[tuple[Severity, str], int] = field(default_factory=dict)

    @property
    def exit_status(self) -> int:
        """0 when there is no error (warnings do not count), else 1."""
        return int(self.counts["error"] > 0)

    @property
    def n_findings(self) -> int:
        """How many findings there were, those left out included."""
        return sum(self.totals.values())

    @property
    def findings_left_out(self) -> int:
        """How many findings were counted and not kept."""
        return self.n_findings - len(self.findings)

    @property
    def counts(self) -> dict[Severity, int]:
        """How many findings of each severity."""
        return {
            severity: sum(total for (kind, _), total in self.totals.items() if kind == severity)
            for severity in _SEVERITIES
        }

    def by_rule(self) -> list[RuleFindings]:
        """The findings grouped, errors first, then the most frequent."""
        kept: dict[tuple[Severity, str], list[Finding]] = {kind: [] for kind in self.totals}
        for finding in self.findings:
            kept[finding.severity, finding.rule].append(finding)
        groups = [
            RuleFindings(rule, severity, tuple(found), self.totals[severity, rule])
            for (severity, rule), found in kept.items()
        ]
        return sorted(groups, key=lambda group: (_SEVERITIES.index(group.severity), -group.count))

    def as_dict(self) -> dict[str, Any]:
        """For `--json`; `findings_left_out` says when there were too many to hold them all."""
        return {
            "file": self.file,
            "container": self.container,
            "format": self.format,
            "format_reason": self.format_reason,
            "profile": self.profile,
            "n_records": self.n_records,
            "n_usable": self.n_usable,
            "exit_status": self.exit_status,
            "counts": self.counts,
            "rules": [
                {"rule": group.rule, "severity": group.severity, "count": group.count}
                for group in self.by_rule()
            ],
            "findings_left_out": self.findings_left_out,
            "findings": [finding.as_dict() for finding in self.findings],
        }


def check(
    path: files.Location,
    format: str = "auto",
    rules: Sequence[str] | None = None,
    *,
    profile: str = "everyday",
    and_rules: Sequence[str | Rule] = (),
    workers: int | None = None,
    keep: int | None = KEPT_PER_RULE,
    on_finding: OnFinding | None = None,
    progress: Progress | None = None,
) -> CheckReport:
    """Everything that is wrong with a set. Bad content is found, never raised.

    `profile` names a row of PROFILES; `rules`, rows of RULES instead of the profile's; `and_rules`
    come on top, by name or as objects, of which a copy is used. UsageError when there is no such
    set, format, profile or rule.

    Large plain files of JSON lines are checked by `workers` processes, one for each CPU unless
    told; the report is the same with any number of them. `on_finding` is told every finding in
    the order of the set, `keep` of each rule stay in the report (None: all). `progress` is told
    how many bytes are done, and how many there are.
    """
    wanted: Profile = PROFILES.load(profile)
    if workers is not None and workers < 1:
        raise UsageError(f"{workers} processes cannot check anything.", mend="workers=1 or more")
    found = origin(path)
    if format != "auto":
        FORMATS.load(format)
    names = wanted.rules if rules is None else rules
    done = Examination(
        found,
        wanted,
        format,
        tuple(_active(names, and_rules)),
        keep=keep,
        on_finding=on_finding,
        progress=progress,
    ).run(workers)
    detection, tally = done.detection, done.tally
    return CheckReport(
        str(path),
        detection.format.name if detection.format else None,
        detection.reason,
        tuple(tally.findings),
        tally.n_records,
        tally.n_usable,
        profile,
        done.container,
        tally.totals,
    )


def _active(names: Sequence[str], more: Sequence[str | Rule]) -> list[Rule]:
    active: dict[str, Rule] = {name: RULES.load(name)() for name in names}
    objects: list[Rule] = []
    for rule in more:
        if isinstance(rule, Rule):
            objects.append(rule.anew())
        elif rule not in active:
            active[rule] = RULES.load(rule)()
    return [*active.values(), *objects]
