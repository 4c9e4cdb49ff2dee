"""A text that may be changed in places, and changes of a drawn share of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """A text and the stretches of it that stay as they are."""

    text: str
    kept: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch of a text, and what may stand in its place. An empty stretch is an insertion."""

    start: int
    end: int
    options: tuple[str, ...]


def rewrite(passage: Passage, edits: Sequence[Edit], random: Random, *, share: float) -> Passage:
    """The passage with a share of its possible edits made, at least one, drawn by `random`.

    Edits that touch a kept stretch are not possible, nor those that overlap an earlier one.
    """
    possible = _apart(sorted(_free(edits, passage.kept), key=lambda edit: edit.start))
    if not possible:
        return passage
    count = max(1, round(share * len(possible)))
    chosen = sorted(random.sample(possible, count), key=lambda edit: edit.start)
    parts, at, growth = [], 0, []
    for edit in chosen:
        text = random.choice(edit.options)
        parts += [passage.text[at : edit.start], text]
        growth.append((edit.end, len(text) - (edit.end - edit.start)))
        at = edit.end
    kept = tuple(_moved(span, growth) for span in passage.kept)
    return Passage("".join([*parts, passage.text[at:]]), kept)


def _moved(span: Span, growth: Sequence[tuple[int, int]]) -> Span:
    by = sum(n for end, n in growth if end <= span[0])
    return span[0] + by, span[1] + by


def _free(edits: Sequence[Edit], kept: Sequence[Span]) -> list[Edit]:
    """The edits that overlap no kept stretch."""
    stretches = _merged(kept)
    starts = [start for start, _ in stretches]

    def is_free(edit: Edit) -> bool:
        # Of the stretches that begin before the edit ends, only the last one can reach into it.
        place = bisect_left(starts, max(edit.end, edit.start + 1)) - 1
        return place < 0 or stretches[place][1] <= edit.start or edit.end <= starts[place]

    return [edit for edit in edits if edit.options and is_free(edit)]


def _merged(spans: Sequence[Span]) -> list[Span]:
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif start < end:
            found.append((start, end))
    return found


def _apart(edits: Sequence[Edit]) -> list[Edit]:
    found: list[Edit] = []
    for edit in edits:
        if not found or edit.start >= found[-1].end:
            found.append(edit)
    return found
