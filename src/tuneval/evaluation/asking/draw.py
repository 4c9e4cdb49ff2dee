"""A part of a task's questions, drawn by a seed: quick to ask, and what it stands for is known."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuneval.errors import DataError
from tuneval.evaluation.question import Question
from tuneval.evaluation.task import Questions, Task

WHOLE = "all"
"""The stratum of tasks that have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The questions to ask, in the task's order. `tag` names the strata; None: there are none.

    `sizes` counts the task's questions by stratum, `taken` those that were drawn.
    """

    questions: tuple[Question, ...]
    tag: str | None
    sizes: Mapping[str, int]
    taken: Mapping[str, int]

    @property
    def is_part(self) -> bool:
        """Whether questions were left out."""
        return sum(self.taken.values()) < sum(self.sizes.values())

    @property
    def widening(self) -> float:
        """How much wider the intervals are than they would be with every question, about."""
        taken: int = sum(self.taken.values())
        return float((sum(self.sizes.values()) / taken) ** 0.5)


def draw(asked: Questions, task: Task) -> Drawn:
    """What `task.limit` leaves of the questions; strata keep their shares, or have as many each.

    A limit below the number of strata draws from all questions alike: shares of less than one
    would always leave out the small strata. A smaller limit of so many per stratum takes part of
    what a larger one takes. A conversation of several questions counts once and stays whole.
    Raises DataError for a task without questions, and where two questions have one id.
    """
    questions = asked.questions
    if not questions:
        raise DataError(
            f"The task {task.title} has no question.", mend="look at its path and options"
        )
    twice = [name for name, count in Counter(q.id for q in questions).items() if count > 1]
    if twice:
        raise DataError(
            f"Two questions of the task {task.title} have the id '{twice[0]}'.",
            mend="an id names one question",
        )
    tag = asked.strata or asked.average
    if task.per == "task" and task.limit is not None and task.limit < len(_count(questions, tag)):
        tag = None
    sizes = _count(questions, tag)
    if task.limit is None:
        return Drawn(questions=questions, tag=tag, sizes=sizes, taken=sizes)
    kept = _kept(questions, tag, task.limit, task)
    left = tuple(question for question in questions if question.id in kept)
    return Drawn(questions=left, tag=tag, sizes=sizes, taken=_count(left, tag))


def stratum_of(tags: Mapping[str, object], tag: str | None) -> str:
    """The stratum of a question or an item by its tags."""
    return WHOLE if tag is None else str(tags.get(tag, ""))


def _count(questions: Sequence[Question], tag: str | None) -> dict[str, int]:
    return dict(Counter(stratum_of(question.tags, tag) for question in questions))


def _kept(questions: Sequence[Question], tag: str | None, limit: int, task: Task) -> set[str]:
    """The ids of the questions that are asked."""
    first = {question.id: question.after or question.id for question in questions}
    starts = {question.id: _start(question.id, first) for question in questions}
    by_stratum: dict[str, list[str]] = {}
    for question in questions:
        if question.after is None:
            by_stratum.setdefault(stratum_of(question.tags, tag), []).append(question.id)
    counts = {stratum: len(members) for stratum, members in by_stratum.items()}
    shares = (
        {stratum: min(limit, count) for stratum, count in counts.items()}
        if task.per == "stratum"
        else allocate(counts, limit)
    )
    drawn = {
        name
        for stratum, members in by_stratum.items()
        for name in sorted(members, key=lambda name: _lot(task.seed, name))[: shares[stratum]]
    }
    return {name for name, start in starts.items() if start in drawn}


def allocate(counts: Mapping[str, int], limit: int) -> dict[str, int]:
    """How many of each stratum: in proportion, one at least where the limit allows it.

    By largest remainder, so that the sum is the limit, or everything there is.
    """
    total = sum(counts.values())
    limit = min(limit, total)
    least = 1 if limit >= len(counts) else 0
    taken = dict.fromkeys(counts, least)
    for _ in range(limit - sum(taken.values())):
        open_ones = [name for name in counts if taken[name] < counts[name]]
        most_wanting = max(open_ones, key=lambda name: limit * counts[name] / total - taken[name])
        taken[most_wanting] += 1
    return taken


def _start(name: str, before: Mapping[str, str]) -> str:
    """The question that a conversation begins with."""
    while before.get(name, name) != name:
        name = before[name]
    return name


def _lot(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
