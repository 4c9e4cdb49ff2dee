"""Every command that a page, a message or a help text names exists, with its options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

from tuneval.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
    *sorted((ROOT / "recipes").rglob("*.yaml")),
    *sorted((ROOT / "src").rglob("*.py")),
]
QUOTED = re.compile(r"`(?:\.venv/bin/)?(tuneval|make) ([^`\n]+)`")
PROMPTED = re.compile(r"^\s*(?:\$ |# )?(?:\.venv/bin/)?(tuneval|make) (.+)$", re.MULTILINE)
FENCED = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
BUILT_IN = {"--help", "-h", "--version", "-V"}
PLACEHOLDERS = {"COMMAND", "…", "..."}


def commands_named_in(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Program and words of every command that the page shows."""
    text = page.read_text(encoding="utf-8")
    for match in QUOTED.finditer(text):
        yield match[1], match[2].split()
    for block in FENCED.findall(text) if page.suffix == ".md" else ():
        for match in PROMPTED.finditer(block):
            yield match[1], match[2].split(" #")[0].split()


def fault_of(words: list[str]) -> str | None:
    """What is wrong with `tuneval <words>`, or None."""
    first, *rest = words
    if first in BUILT_IN | PLACEHOLDERS or first.startswith(("{", "<")):
        return None
    if first not in COMMANDS:
        return f"no command '{first}'"
    module, _, attribute = COMMANDS[first][0].partition(":")
    command: click.Command = getattr(import_module(module), attribute)
    if isinstance(command, click.Group) and rest and not rest[0].startswith(("-", "{", "<", "…")):
        if rest[0] not in command.list_commands(click.Context(command)):
            return f"no command '{first} {rest[0]}'"
        found = command.get_command(click.Context(command), rest[0])
        assert found is not None
        command = found
    inner = getattr(command, "commands_of", {})
    if not isinstance(command, click.Group) and rest and rest[0] in inner:
        command = command.command(rest[0])  # type: ignore[attr-defined]  # evaluate lint
    known = {option for parameter in command.params for option in parameter.opts} | BUILT_IN
    options = [word.split("=")[0] for word in rest if re.match(r"--?[a-z]", word)]
    unknown = [option for option in options if option not in known]
    return f"no option {', '.join(unknown)} of '{command.name}'" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_named_here_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    faults = []
    for program, words in commands_named_in(page):
        if program == "make":
            named = [word for word in words if re.fullmatch(r"[a-z-]+", word)]
            faults += [f"no make target '{name}'" for name in named if name not in targets]
        elif fault := fault_of(words):
            faults.append(fault)
    assert faults == []
