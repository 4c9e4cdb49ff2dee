"""The shape of the house: rooms say what they are for, table rows lead somewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

import tuneval
from tuneval.catalog import Catalog
from tuneval.cli.main import COMMANDS, overview

PACKAGE = Path(tuneval.__file__).parent
ROOMS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
MODULES = sorted(PACKAGE.rglob("*.py"))


def catalogs() -> Iterator[tuple[str, str]]:
    """Module and name of every catalog, found without importing anything."""
    for path in MODULES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            value = getattr(node, "value", None)
            if isinstance(value, ast.Call) and getattr(value.func, "id", None) == "Catalog":
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target  # type: ignore[attr-defined]
                parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
                module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                yield module, target.id


CATALOGS = list(catalogs())


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_room_says_in_at_most_15_lines_what_it_is_for(room: Path) -> None:
    said = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8")))
    assert said, f"{room.name}/__init__.py has no docstring"
    assert len(said.splitlines()) <= 15


def test_every_folder_of_code_is_a_room() -> None:
    folders = {path.parent for path in MODULES}
    assert [f for f in folders if not (f / "__init__.py").exists()] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_command_row_leads_to_a_command_that_says_what_it_does(name: str) -> None:
    module, _, attribute = COMMANDS[name][0].partition(":")
    command = getattr(import_module(module), attribute)
    assert isinstance(command, click.Command)
    assert command.help


def test_overview_shows_every_command_on_one_line_of_80() -> None:
    page = overview().splitlines()
    for name in COMMANDS:
        assert any(line.startswith(f"  {name} ") for line in page)
    assert max(map(len, page)) <= 80


@pytest.mark.parametrize(("module", "name"), CATALOGS, ids=lambda part: str(part))
def test_every_row_of_every_catalog_loads(module: str, name: str) -> None:
    catalog = getattr(import_module(module), name)
    assert isinstance(catalog, Catalog)
    assert len(catalog) > 0
    for row in catalog:
        assert catalog.load(row) is not None
