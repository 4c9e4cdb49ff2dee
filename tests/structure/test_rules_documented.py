"""docs/rules.md has a row for every finding that the check can give, and for no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import tuneval.data
import tuneval.data.rules

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
DATA = Path(tuneval.data.__file__).parent
RULES = Path(tuneval.data.rules.__file__).parent
# Families of what is found while reading, where an id is a word of the code.
OF_READING = ("encoding", "json", "file", "format", "shape", "tools", "csv", "table", "registry")
ROW = re.compile(r"^\| `([a-z_]+\.[a-z_0-9*]+)` \| (.+?) \| (.+?) \|", re.MULTILINE)
ID = re.compile(r"\b[a-z_]+\.[a-z_0-9]+\b")
OF_READING_ID = re.compile(rf"(?:{'|'.join(OF_READING)})\.[a-z_0-9]+")


def announced_by_rules() -> set[str]:
    """The ids in the docstrings of the rules' classes."""
    found = set()
    for path in RULES.glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                found |= {*ID.findall(ast.get_docstring(node) or "")}
    return found


def given_while_reading() -> Iterator[str]:
    """The ids in the code around the rules; `shape.no_*` for one that is put together."""
    for path in DATA.rglob("*.py"):
        if path.is_relative_to(RULES) or "repairs" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and OF_READING_ID.fullmatch(str(node.value)):
                yield f"{node.value}*" if str(node.value).endswith("_") else str(node.value)


@cache
def every_id() -> set[str]:
    return announced_by_rules() | {*given_while_reading()}


def test_every_finding_has_a_row() -> None:
    assert "shape.no_*" in every_id()
    assert "order.no_answer" in every_id()
    assert sorted(every_id() - {row[0] for row in ROW.findall(PAGE)}) == []


def test_every_row_is_a_finding() -> None:
    assert sorted({row[0] for row in ROW.findall(PAGE)} - every_id()) == []


def test_every_row_says_how_bad_it_is_and_what_it_finds() -> None:
    rows = ROW.findall(PAGE)
    assert len({row[0] for row in rows}) == len(rows)
    assert {severity for _, severity, _ in rows} == {"error", "warning", "info"}
    assert [row for row in rows if len(row[2]) < 10] == []


def test_every_finding_of_a_rule_is_of_its_family() -> None:
    for path in RULES.glob("[a-z]*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                ids = ID.findall(ast.get_docstring(node) or "")
                assert ids, f"{path.name}: {node.name} announces no finding"
                assert {name.partition(".")[0] for name in ids} == {path.stem}
