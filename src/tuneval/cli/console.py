"""How things look in a terminal: answers, warnings, tables, progress.

Answers go to stdout; progress and warnings go to stderr, so that a pipe gets the answer alone.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from tuneval.runs.events import Report

Content = TypeVar("Content")

json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


def answer(as_json: bool, content: Content, human: Callable[[Content], object]) -> None:
    """Print `content` as JSON, or let `human` show it."""
    if as_json:
        click.echo(json.dumps(_strict(content), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        human(content)


def warn(message: str) -> None:
    """A warning, on stderr."""
    click.echo(f"warning: {message}", err=True)


def fields(content: Mapping[str, object], *, indent: int = 0) -> None:
    """Names and values, one a line, the values aligned."""
    width = max((len(name) for name in content), default=0)
    for name, value in content.items():
        if isinstance(value, list | tuple):
            value = ", ".join(map(str, value)) or "none"
        shown = f"{value:.6g}" if isinstance(value, float) else str("–" if value is None else value)
        click.echo(f"{'':{indent}}{name:<{width}}  {shown}")


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on stdout, numbers to the right. No cell is cut or folded in a pipe."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for number, header in enumerate(headers):
        is_number = all(isinstance(row[number], int | float) for row in rows) and bool(rows)
        drawn.add_column(header, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(str(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else 1000, highlight=False).print(drawn)


@contextmanager
def progress() -> Iterator[Report]:
    """A report that draws: bars with the remaining time, or now and then a line without a tty."""
    from tuneval.cli.progress import Bars, Lines

    if not sys.stderr.isatty():
        yield Lines()
        return
    with Bars() as bars:
        yield bars


def _strict(content: Any) -> Any:
    """JSON has no NaN and no infinity: they become null."""
    if isinstance(content, float) and not math.isfinite(content):
        return None
    if isinstance(content, Mapping):
        return {str(key): _strict(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_strict(value) for value in content]
    return content
