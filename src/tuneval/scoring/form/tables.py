"""Tables of Markdown that would not be shown as tables, or not whole.

By GitHub's specification (section 4.10) a table is a header row, a delimiter row of as many cells,
and rows of which cells beyond the header's are ignored. A row may have fewer.
"""

from __future__ import annotations

import re

_row = re.compile(r"[ \t]{0,3}\|.*\|[ \t]*$").match
_delimiter = re.compile(r"[ \t]{0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$").match
_edge = re.compile(r"[ \t]*(?:\+[-=+]+\+?|[-=─━+|┼]{4,})[ \t]*$").match
_separator = re.compile(r"(?<!\\)\|")
_LEAST_ROWS = 2


def has_broken_table(prompt: str, text: str) -> bool:
    """Whether a row of the table would be lost, or the table is none.

    Where no delimiter row tells, rows must begin and end with a bar to be seen as such, and they
    are right if the prompt has bars itself: a Sudoku, a board of a game.
    """
    if text.count("|") < 2 * _LEAST_ROWS:
        return False
    block: list[str] = []
    for line in [*text.split("\n"), ""]:
        if "|" in line or (block and _edge(line)):
            block.append(line)
        elif block:
            if _is_broken(block, is_free="|" in prompt):
                return True
            block = []
    return False


def _is_broken(block: list[str], *, is_free: bool) -> bool:
    """Of lines in a row with a bar in each; `is_free`: rows need no delimiter row."""
    for place, line in enumerate(block):
        if "|" in line and "-" in line and _delimiter(line):
            if place == 0:
                return _row(line) is not None and len(block) > 1
            width = _n_cells(line)
            rows = block[place + 1 :]
            return _n_cells(block[place - 1]) != width or any(_n_cells(r) > width for r in rows)
    if is_free:
        return False
    rows = [line for line in block if _row(line)]
    is_box = len(rows) < len(block)
    return len(rows) >= _LEAST_ROWS and not is_box and min(map(_n_cells, rows)) >= 2


def _n_cells(line: str) -> int:
    line = line.strip()
    n_bars = len(_separator.findall(line))
    ends_with_bar = line.endswith("|") and not line.endswith("\\|")
    return n_bars + 1 - line.startswith("|") - ends_with_bar
