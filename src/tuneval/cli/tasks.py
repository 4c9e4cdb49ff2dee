"""`tuneval tasks`: what a model can be asked, and in which ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from tuneval.cli.console import answer, fields, json_option, table

_AXES = ("tasks", "kinds", "families", "languages")


@click.command()
@click.argument("name", required=False)
@click.option("--coverage", "as_coverage", is_flag=True, help="Which capability is tested by what.")
@json_option
def tasks(name: str | None, as_coverage: bool, as_json: bool) -> None:
    """List the tasks, or say all about one: protocols, options, files, metrics, licence."""
    from tuneval.evaluation.catalogs.coverage import coverage
    from tuneval.evaluation.catalogs.task_pages import task_rows

    if as_coverage:
        abouts = [row.about for row in task_rows(None if name is None else [name])]
        answer(as_json, [row.as_dict() for row in coverage(abouts)], _show_coverage)
        return
    if name is not None:
        (row,) = task_rows([name])
        answer(as_json, row.as_dict(), _show_one)
        return
    answer(as_json, [row.as_dict() for row in task_rows()], _show_all)


def _show_all(rows: Sequence[dict[str, Any]]) -> None:
    table(
        ("name", "kind", "languages", "protocols", "what it is"),
        [
            (
                row["name"],
                row["kind"],
                ", ".join(row["languages"]),
                ", ".join(row["protocols"]),
                row["summary"],
            )
            for row in rows
        ],
    )
    click.echo(f"\n{len(rows)} tasks; `tuneval tasks NAME` says all about one")


def _show_coverage(rows: Sequence[dict[str, Any]]) -> None:
    table(
        ("capability", "tasks", "kinds", "families of metrics", "languages"),
        [(row["capability"], *(", ".join(row[axis]) or "–" for axis in _AXES)) for row in rows],
    )


def _show_one(row: dict[str, Any]) -> None:
    names = ("name", "title", "summary", "kind", "languages", "capabilities", "metrics")
    fields({name: row[name] for name in (*names, "layout", "source", "licence")})
    click.echo("\nprotocols")
    fields(row["protocols"], indent=2)
    click.echo("\noptions")
    options = {
        option["name"]: option["values"].replace("`", "") + _default(option["default"])
        for option in row["options"]
    }
    fields(options, indent=2)
    click.echo(f"\n{row['told']}")


def _default(default: str | None) -> str:
    return "; must be given" if default is None else f"; {default} unless given"
