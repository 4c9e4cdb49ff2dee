"""Enumerations whose numbers do not follow one another: 1, 2, 3, 1, 2 or 1, 2, 2."""

from __future__ import annotations

import re
from itertools import pairwise

_item = re.compile(r"(\d{1,3})(?:[.)）](?=\s|[^\W\d])|、)").match
_LEAST_ITEMS = 3


def restarts(text: str) -> bool:
    """Whether a list of items starts anew or repeats a number; one may be left out.

    A list ends at a line that is neither an item, nor empty, nor indented. One that counts
    backwards, or that numbers every item alike, as Markdown allows, is meant so.
    """
    numbers: list[int] = []
    for line in [*text.split("\n"), "."]:
        if found := _item(line):
            numbers.append(int(found[1]))
        elif line and not line[0].isspace():
            if len(numbers) >= _LEAST_ITEMS and not _is_in_order(numbers):
                return True
            numbers.clear()
    return False


def _is_in_order(numbers: list[int]) -> bool:
    steps = {after - before for before, after in pairwise(numbers)}
    return min(steps) > 0 or steps in ({-1}, {0})
