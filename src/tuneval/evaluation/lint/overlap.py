"""Questions of a task found again in a training set."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tuneval import files
from tuneval.data.contamination import EXTENTS, Index, Overlap
from tuneval.data.draft import Draft
from tuneval.data.finding import Finding, clip
from tuneval.data.likeness.units import units
from tuneval.data.read import drafts
from tuneval.evaluation.lint.texts import stems
from tuneval.evaluation.question import Question

_WHOLE = ("equal", "whole")


def overlaps(
    questions: Sequence[Question], strata: str | None, training: Path
) -> Iterator[Finding]:
    """`training.overlap` for each question of which a part stands in the training set.

    An error where it stands there whole; see `data.contamination` for what counts. Of the places
    where a question stands the one with the largest part is told, and how many there are.
    """
    index = _index(questions, strata)
    best: dict[int, tuple[Overlap, str]] = {}
    counts: dict[int, int] = {}
    for draft in drafts(training).items:
        if not isinstance(draft, Draft):
            continue
        texts = [turn.content for turn in draft.turns if turn.content]
        if not texts:
            continue
        for overlap in index.look_up(units(*texts), len(texts)):
            place = overlap.source.line - 1
            counts[place] = counts.get(place, 0) + 1
            if place not in best or _rank(overlap) > _rank(best[place][0]):
                best[place] = (overlap, str(draft.record.source))
    for place in sorted(best):
        yield _finding(questions[place], *best[place], counts[place])


def _index(questions: Sequence[Question], strata: str | None) -> Index:
    """The questions without the words around them, as an evaluation set of their own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "questions.jsonl"
        files.write_jsonl(path, ({"question": stem} for stem in stems(questions, strata)))
        return Index([path])


def _rank(overlap: Overlap) -> tuple[int, float]:
    return EXTENTS.index(overlap.extent), overlap.share


def _finding(question: Question, overlap: Overlap, where: str, count: int) -> Finding:
    is_whole = overlap.extent in _WHOLE
    part = "The question" if is_whole else f"A part of the question ({overlap.share:.0%})"
    more = f", and in {count - 1} more" if count > 1 else ""
    return Finding(
        rule="training.overlap",
        severity="error" if is_whole else "warning",
        where=question.source,
        example_id=question.id,
        what=f"{part} stands in {where}{more}: {clip(overlap.stretch, 80)}.",
        mend="train without those records, or leave the question out",
    )
