"""`tuneval stability`: how far a figure moves when nothing but chance, or one thing, changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tuneval.cli.console import answer, json_option, table, warn

if TYPE_CHECKING:
    from tuneval.evaluation.report.stability import Grid
    from tuneval.evaluation.stability.stability import Stability


@click.command()
@click.argument("runs", nargs=-1, required=True)
@click.option("--metric", "metrics", multiple=True, help="Only these metrics; may stand often.")
@click.option(
    "--difference",
    type=click.FloatRange(min=0, min_open=True),
    metavar="POINTS",
    help="Also say how many items or runs would reveal such a difference of two models.",
)
@json_option
def stability(
    runs: tuple[str, ...], metrics: tuple[str, ...], difference: float | None, as_json: bool
) -> None:
    """Split the spread of repeated RUNS into what the items, the run, and both together make.

    Each of RUNS is an evaluation's folder, RUN:NAME, or a run with all its evaluations, as
    `tuneval evaluate … --repeats 5 --vary seed` leaves it. The reading (below 1 point noise, 1 to 3
    watch, above 5 investigate) is of the run part.
    """
    from tuneval.evaluation.stability.found import find_repeats
    from tuneval.evaluation.stability.stability import stability as stability_of

    found = stability_of(find_repeats(runs), metrics=metrics or None, points=difference)
    answer(as_json, found.as_dict(), lambda _: show_stability(found))


def show_stability(found: Stability) -> None:
    """Every part of the spread, what it leaves to see, and which source matters."""
    from tuneval.evaluation.report import stability as said

    for name, model, rows in said.groups(found):
        click.echo(f"{name}, {model}")
        _table(said.parts_table(rows, str))
        if grid := said.power_table(rows, str):
            click.echo("")
            _table(grid)
        for remark in said.remarks(rows):
            warn(remark.en)
        click.echo("")
    if grid := said.sources_table(found, str):
        _table(grid)
        click.echo("")
    click.echo(said.HOW_TO_READ.en)
    click.echo(said.REVEALED.en)
    _show_differences(found)


def _table(grid: Grid) -> None:
    from tuneval.pages.text import english

    headings, rows = grid
    table([english(heading) for heading in headings], [[english(c) for c in row] for row in rows])


def _show_differences(found: Stability) -> None:
    """Fields in which the runs differ, so that nothing else changed unseen."""
    for what, groups in (("asked", found.settings), ("environment", found.environment)):
        for title, fields in groups.items():
            for name, values in fields.items():
                shown = ", ".join(dict.fromkeys(values.values()))
                click.echo(f"{what} differs ({title}): {name}: {shown[:160]}")
