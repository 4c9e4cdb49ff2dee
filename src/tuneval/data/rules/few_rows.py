"""Ten records at least, for those who refuse a smaller set."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding
from tuneval.data.rule import Rule

_LEAST = 10


class FewRows(Rule):
    """few_rows.under_ten"""

    def __init__(self) -> None:
        self._n_records = 0
        self._file = ""

    def see(self, draft: Draft) -> tuple[()]:
        """Count."""
        self._n_records += 1
        self._file = self._file or draft.record.source.file
        return ()

    def merge(self, later: Rule) -> None:
        """Add up."""
        assert isinstance(later, FewRows)
        self._n_records += later._n_records
        self._file = self._file or later._file

    def finish(self) -> Iterator[Finding]:
        """One error about the set; it condemns none of its records."""
        if 0 < self._n_records < _LEAST:
            yield Finding(
                rule="few_rows.under_ten",
                severity="error",
                where=self._file,
                what=f"The set has {self._n_records} records; {_LEAST} are the least.",
                mend="add records",
            )
