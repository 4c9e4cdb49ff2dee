"""The groups whose shares of the whole set a selection keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tuneval.data.cutting.drawing import Strata
from tuneval.data.cutting.facet import NONE
from tuneval.errors import UsageError
from tuneval.scoring.selection.candidate import Candidate
from tuneval.scoring.selection.quota import allot

TASK = "task"
Groups = Mapping[str, Sequence[Candidate]]
SizeOf = Callable[[Candidate], int]


@dataclass(frozen=True)
class Quota:
    """The facet of the groups, or `task`; without one, all are a single group."""

    name: str | None

    def groups(self, candidates: Iterable[Candidate]) -> dict[str, list[Candidate]]:
        """Each group's candidates in the given order; the groups by name.

        UsageError when none has a task, or there are too many groups for shares to mean anything.
        """
        groups: dict[str, list[Candidate]] = {}
        numbers = Strata(self.name or "")
        for each in candidates:
            groups.setdefault(self._of(each), []).append(each)
        for group in groups:
            numbers.number(group)
        return dict(sorted(groups.items()))

    def refuse_if_absent(self, candidates: Iterable[Candidate]) -> None:
        """Raise UsageError when the quota is of tasks and no example has one."""
        if self.name == TASK and all(each.row.task is None for each in candidates):
            raise UsageError(
                "The quota is of tasks, and no example has one.",
                mend="score the set with --task FIELD, or name a facet of the records: a tag, say",
            )

    def _of(self, candidate: Candidate) -> str:
        if self.name is None:
            return ""
        return (
            (candidate.row.task or NONE)
            if self.name == TASK
            else candidate.facets.get(self.name, NONE)
        )


def shares(total: int, offered: Groups, eligible: Groups, size: SizeOf) -> dict[str, int]:
    """How much of `total` each group gets: its share of the whole set, if it has that much."""
    weights = {name: sum(map(size, group)) for name, group in offered.items()}
    limits = {name: sum(map(size, group)) for name, group in eligible.items()}
    return allot(total, weights, limits)
