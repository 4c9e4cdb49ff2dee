"""Every record of a set goes one way: to the new file, or to the rejects, or to both."""

from __future__ import annotations

from collections import Counter

from tuneval.data.draft import Draft
from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.format import Format
from tuneval.data.read import drafts_of
from tuneval.data.record import Record
from tuneval.data.rejects import Rejects
from tuneval.data.repairs.found import Between, Found, How
from tuneval.data.repairs.out import Keep
from tuneval.data.repairs.values import Judge


class Sorting:
    """Sends records their way, and counts them."""

    def __init__(
        self, how: How, format: Format, judge: Judge, keep: Keep, rejects: Rejects
    ) -> None:
        self.n_unchanged = self.n_repaired = self.n_dropped = self.n_between = 0
        self.dropped_by: Counter[str] = Counter()
        self.repaired_by: Counter[str] = Counter()
        self.faults: list[Finding] = []
        self.first_error: Finding | None = None
        self.seen: dict[int, Source] | None = None
        self._how = how
        self._format = format
        self._judge = judge
        self._keep = keep
        self._rejects = rejects

    @property
    def n_kept(self) -> int:
        """How many records the new file has so far."""
        return self.n_unchanged + self.n_repaired

    def drop_equal_records(self) -> None:
        """From now on the first of equal records stays alone."""
        self.seen = {}

    def take(self, item: Record | Finding) -> None:
        """The next record, what stands between two, or what is said of the file."""
        if isinstance(item, Between):
            self.n_between += 1
            self._rejects.left_out(item)
        elif isinstance(item, Finding):
            if item.severity == "error":
                self.faults.append(item)
        elif isinstance(item, Found):
            if item.is_sound:
                self.n_unchanged += 1
                self._keep(item)
            else:
                self._sort(item)

    def _sort(self, before: Found) -> None:
        (draft,) = drafts_of((before,), self._format, None)
        assert isinstance(draft, Draft)
        verdict = self._judge.look(draft) if self._how == "drop" else self._judge.repair(draft)
        after = verdict.draft.record
        assert isinstance(after, Found)
        if errors := verdict.errors or self._equal_to_an_earlier(verdict.draft):
            self.n_dropped += 1
            self.dropped_by.update({finding.rule for finding in errors})
            self.first_error = self.first_error or errors[0]
            self._rejects.dropped(before, errors)
            return
        self._keep(after)
        if done := (*before.done, *verdict.done):
            self.n_repaired += 1
            self.repaired_by.update({each.repair for each in done})
            self._rejects.repaired(before, after, done, self.n_kept)
        else:
            self.n_unchanged += 1

    def _equal_to_an_earlier(self, draft: Draft) -> tuple[Finding, ...]:
        """Why a record that stood there before shall not stay."""
        if self.seen is None or draft.item is None:
            return ()
        first = self.seen.setdefault(int(draft.item.id, 16), draft.record.source)
        if first is draft.record.source:
            return ()
        what = f"This is the same as in {first.place}."
        return (draft.finding("duplicates.exact", what, mend="leave it out"),)
