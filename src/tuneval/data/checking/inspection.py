"""Looking at the records of a set, or of a part of it, with the rules that are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tuneval.data.checking.finding_tally import KEPT_PER_RULE, FindingTally, OnFinding
from tuneval.data.draft import Draft
from tuneval.data.finding import Finding, has_error
from tuneval.data.plain_draft import PlainDraft
from tuneval.data.rule import Rule


class Inspection:
    """Shows drafts to rules and counts what they say. `on_finding` is told each at once."""

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        keep: int | None = KEPT_PER_RULE,
        on_finding: OnFinding | None = None,
    ) -> None:
        self.tally = FindingTally(keep)
        self._rules = rules
        # Of a plain conversation the rules that no text ever concerns have nothing to say.
        self._rules_for_plain = [rule for rule in rules if rule.marks != ()]
        self._on_finding = on_finding

    def look(self, items: Iterable[Draft | Finding]) -> None:
        """See every draft; a finding among them counts as one."""
        for item in items:
            if isinstance(item, Finding):
                self.note(item)
            else:
                self._see(item)

    def note(self, finding: Finding) -> None:
        """Count a finding and tell of it."""
        self.tally.add(finding)
        if self._on_finding is not None:
            self._on_finding(finding)

    def _see(self, draft: Draft) -> None:
        found = list(draft.findings)
        for rule in self._rules_for_plain if isinstance(draft, PlainDraft) else self._rules:
            found += rule.see(draft)
        self.tally.n_records += 1
        if draft.item is not None and not has_error(found):
            self.tally.n_usable += 1
        for finding in found:
            self.note(finding)
