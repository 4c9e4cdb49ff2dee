"""What a check has found so far: every finding is counted, a bounded number of them is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tuneval.data.finding import Finding, Severity

KEPT_PER_RULE = 1000

OnFinding = Callable[[Finding], object]


@dataclass(slots=True)
class FindingTally:
    """Counts, and of each rule the first findings. Those of two parts of a set can be merged.

    `keep` is how many findings of a rule and severity are kept, all when it is None.
    """

    keep: int | None = KEPT_PER_RULE
    n_records: int = 0
    n_usable: int = 0
    findings: list[Finding] = field(default_factory=list)
    totals: dict[tuple[Severity, str], int] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Count it, and keep it while there is room."""
        kind = (finding.severity, finding.rule)
        count = self.totals.get(kind, 0)
        self.totals[kind] = count + 1
        if self.keep is None or count < self.keep:
            self.findings.append(finding)

    def merge(self, later: FindingTally) -> None:
        """Take over that of the part that follows, which keeps at least as many."""
        self.n_records += later.n_records
        self.n_usable += later.n_usable
        n_kept = dict(self.totals)
        for finding in later.findings:
            kind = (finding.severity, finding.rule)
            count = n_kept.get(kind, 0)
            n_kept[kind] = count + 1
            if self.keep is None or count < self.keep:
                self.findings.append(finding)
        for kind, total in later.totals.items():
            self.totals[kind] = self.totals.get(kind, 0) + total
