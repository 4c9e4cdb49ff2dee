"""AGIEval's subjects, its questions as they lie in the files, and its demonstrations."""

from __future__ import annotations

import ast
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files as resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from tuneval import files
from tuneval.errors import DataError

PROMPTS_NAME = "few_shot_prompts.csv"
WITHOUT_PASSAGE = "sat-en-without-passage"
_MEND = "take the file as AGIEval has it"


class Admission(BaseModel):
    """A subject. `form`: one option, several of them, or an expression to be filled in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Literal["en", "zh"]
    form: Literal["one", "several", "cloze"]
    intro: str


@cache
def admissions() -> Mapping[str, Admission]:
    """The subjects by name, in the benchmark's order."""
    text = resources(__package__).joinpath("agieval.yaml").read_text(encoding="utf-8")
    return MappingProxyType({k: Admission(**row) for k, row in yaml.safe_load(text).items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A question; `line` is its place in the file, from 1. Options have their letters: "(A)4".

    `key` is the answer as the file has it; a list of letters is put together.
    """

    line: int
    passage: str
    text: str
    options: tuple[str, ...]
    key: str | None


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A solved question, with the reasoning that leads to its key.

    `answer` is the key as AGIEval shows it: of several letters the Python list, "['B', 'C']".
    """

    problem: Problem
    answer: str
    explanation: str


def read_problems(path: Path) -> list[Problem]:
    """The questions of a subject. Raises DataError for a file that is missing, empty or wrong."""
    if not path.is_file():
        raise DataError(
            "A subject's file is missing.",
            where=str(path),
            mend="give the folder data/v1 of AGIEval, or name the subjects that you have",
        )
    problems = [
        _problem(row, line, f"{path}:{line}")
        for line, row in enumerate(files.read_jsonl(path), start=1)
    ]
    if not problems:
        raise DataError("The file holds no question.", where=str(path), mend=_MEND)
    return problems


def read_demonstrations(folder: Path, subject: str) -> list[Demonstration]:
    """The demonstrations of a subject, up to five, from AGIEval's own file of them.

    It lies beside the subjects or, in the official layout, in the folder above. Raises DataError.
    """
    path = next(
        (p for p in (folder / PROMPTS_NAME, folder.parent / PROMPTS_NAME) if p.is_file()), None
    )
    if path is None:
        raise DataError(
            "The file of demonstrations is missing.",
            where=str(folder / PROMPTS_NAME),
            mend=f"put AGIEval's data/{PROMPTS_NAME} there, or ask with shots=0",
        )
    column = "sat-en" if subject == WITHOUT_PASSAGE else subject
    cells = _column(path, column)
    # Rows alternate: a question, then its explanation; the ones that are there are paired in order.
    solved = [cell for cell in cells[0::2] if cell]
    explained = [cell.replace("\n\n", "\n") for cell in cells[1::2] if cell]
    found = []
    for place, (cell, explanation) in enumerate(zip(solved, explained, strict=False)):
        where = f"{path}, {column}, demonstration {place + 1}"
        row = _literal(cell, where)
        if subject == WITHOUT_PASSAGE:
            row["passage"] = None
        problem = _problem(row, place + 1, where)
        label = row.get("label")
        answer = str(label) if isinstance(label, list) else problem.key or ""
        found.append(Demonstration(problem, answer, explanation))
    return found


def _column(path: Path, name: str) -> list[str]:
    """The cells of a column from the top. Raises DataError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            names, rows = reader.fieldnames or (), list(reader)
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"This is no CSV file: {error}.", where=str(path), mend=_MEND) from None
    if name not in names:
        raise DataError(f"The table has no column '{name}'.", where=str(path), mend=_MEND)
    return [row[name] or "" for row in rows]


def _literal(cell: str, where: str) -> dict[str, Any]:
    """The question that a cell holds, written as Python writes it. Raises DataError."""
    try:
        return dict(ast.literal_eval(cell))
    except (ValueError, SyntaxError, TypeError):
        raise DataError("The cell holds no question.", where=where, mend=_MEND) from None


def passage_groups(problems: Sequence[Problem], subject: str) -> list[str | None]:
    """For each question a name for its passage; None where it has none."""
    names: dict[str, str] = {}
    return [
        names.setdefault(p.passage, f"{subject}/passage-{len(names) + 1}") if p.passage else None
        for p in problems
    ]


def _problem(row: Mapping[str, Any], line: int, where: str) -> Problem:
    options = row.get("options") or []
    if not isinstance(row.get("question"), str):
        raise DataError("A question has no text 'question'.", where=where, mend=_MEND)
    if not isinstance(options, list) or not all(isinstance(one, str) for one in options):
        raise DataError("'options' is no list of texts.", where=where, mend=_MEND)
    label, answer = row.get("label"), row.get("answer")
    key = "".join(label) if isinstance(label, list) else label or answer
    return Problem(
        line=line,
        passage=row.get("passage") or "",
        text=row["question"],
        options=tuple(options),
        key=str(key) if key else None,
    )
