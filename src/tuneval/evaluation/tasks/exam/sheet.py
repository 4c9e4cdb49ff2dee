"""A subject's questions from its file, one after the other, as the benchmark hands them out."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneval.errors import DataError

LETTERS = "ABCDEFG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A question with lettered options. `key` is the answer as the file has it, None for none.

    `number` is its id in the file, else its place; `line` where it begins there, from 1.
    """

    number: str
    line: int
    text: str
    options: tuple[str, ...]
    key: str | None
    explanation: str = ""

    @property
    def gold(self) -> tuple[int, ...]:
        """The places of the right options; none where the key is missing or names none of them."""
        places = [LETTERS.find(letter) for letter in self.key or ""]
        is_known = all(0 <= place < len(self.options) for place in places)
        return tuple(places) if is_known else ()


def read_sheet(path: Path, columns: Sequence[str] | None = None) -> list[Entry]:
    """The entries of a CSV file with a header, or with these columns and none.

    Cells are taken as they stand: no text becomes a number or a missing value, as it does where
    pandas reads the same file. Blank lines are none. Raises DataError for a file that is missing,
    empty or no such table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            entries = list(_entries(lines, path, columns))
    except (FileNotFoundError, NotADirectoryError):
        raise DataError("A subject's file is missing.", where=str(path), mend=_MEND) from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"This is no CSV file: {error}.", where=str(path), mend=_MEND) from None
    if not entries:
        raise DataError("The table holds no question.", where=str(path), mend=_MEND)
    return entries


_MEND = "give the folder of the benchmark in its official layout (`tuneval tasks NAME` shows it)"


def _rows(reader: Any, path: Path) -> Iterator[list[str]]:
    """The rows; a broken one is told with its line."""
    try:
        yield from reader
    except csv.Error as error:
        raise DataError(
            f"This row is no CSV: {error}.",
            where=f"{path}:{reader.line_num}",
            mend='put cells with quotes in quotes, and double the ones inside: "a ""b"" c"',
        ) from None


def _entries(lines: Iterator[str], path: Path, columns: Sequence[str] | None) -> Iterator[Entry]:
    reader = csv.reader(lines, strict=True)
    names = list(columns or [name.strip().lower() or "id" for name in next(reader, [])])
    lacking = [name for name in ("question", "a", "b", "c", "d") if name not in names]
    if lacking:
        raise DataError(
            f"The table lacks the columns {', '.join(lacking)}.", where=str(path), mend=_MEND
        )
    line = reader.line_num + 1
    place = -1
    for cells in _rows(reader, path):
        if not cells:
            line = reader.line_num + 1
            continue
        place += 1
        if len(cells) != len(names):
            raise DataError(
                f"A row has {len(cells)} cells, not {len(names)}.",
                where=f"{path}:{line}",
                mend="quote cells that hold commas or line breaks",
            )
        row = dict(zip(names, cells, strict=True))
        yield Entry(
            number=row.get("id") or str(place),
            line=line,
            text=row["question"],
            options=tuple(row[letter] for letter in "abcd"),
            key=row.get("answer", "").strip() or None,
            explanation=row.get("explanation", ""),
        )
        line = reader.line_num + 1
