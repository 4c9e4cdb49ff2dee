"""`tuneval data split`: a set in two parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from tuneval.cli.console import answer, json_option, warn
from tuneval.cli.data.options import format_option


@click.command()
@click.argument("file")
@click.option(
    "--held-out",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.25,
    show_default=True,
    help="The share of groups to hold out, nearly.",
)
@click.option("--out", required=True, type=click.Path(file_okay=False), help="The folder to fill.")
@click.option(
    "--by",
    type=click.Choice(["group", "id"]),
    default="group",
    show_default=True,
    help="Keep examples of one group together, or look at each alone.",
)
@click.option("--seed", default=17, show_default=True)
@format_option
@json_option
def split(
    file: str,
    held_out: float,
    out: str,
    by: Literal["group", "id"],
    seed: int,
    format: str,
    as_json: bool,
) -> None:
    """Part FILE into train.jsonl and held_out.jsonl; adding records later moves none."""
    from tuneval.data.split import split_file

    done = split_file(file, Path(out), held_out=held_out, by=by, seed=seed, format=format)
    answer(as_json, done, _show_split)


def _show_split(done: dict[str, Any]) -> None:
    for side in ("train", "held_out"):
        rows = done[side]
        click.echo(f"{rows['file']}  {rows['examples']} examples, {rows['keys']} groups")
    click.echo(f"held out: {done['share']:.1%} of the examples (asked: {done['asked']:.1%})")
    if done["on_both_sides"]:
        warn(
            f"{len(done['on_both_sides'])} conversations stand on both sides, since their copies "
            "are in different groups; `tuneval data check` names them"
        )
