"""`tuneval data sample`: some records of a set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from tuneval.cli.console import answer, json_option, table, warn
from tuneval.cli.data.counted import counted
from tuneval.cli.data.options import format_option
from tuneval.errors import UsageError

if TYPE_CHECKING:
    from tuneval.data.sample import Sample


@click.command()
@click.argument("file")
@click.option("--n", type=click.IntRange(min=1), help="How many.")
@click.option("--share", type=click.FloatRange(0, 1, min_open=True), help="Which share instead.")
@click.option("--seed", default=17, show_default=True)
@click.option("--stratify", metavar="TAG", help="Keep the shares of a tag's or label's values.")
@click.option(
    "--by",
    type=click.Choice(["record", "group"]),
    default="record",
    show_default=True,
    help="Draw records, or whole groups; --n counts these.",
)
@click.option("--out", help="The file to write, of a kind by name.")
@click.option("--to", metavar="FORMAT", help="Write the records in another format.")
@format_option
@json_option
def sample(
    file: str,
    n: int | None,
    share: float | None,
    seed: int,
    stratify: str | None,
    by: Literal["record", "group"],
    out: str | None,
    to: str | None,
    format: str,
    as_json: bool,
) -> None:
    """Draw records of FILE by a seed; without --out they are printed as JSON lines.

    With the same seed a larger sample holds every smaller one. --stratify takes a tag, label (the
    answer), label.FIELD (of a JSON answer), group or file.
    """
    from tuneval.data.sample import Draw, drawn_records, sample_file
    from tuneval.data.sample import sample as draw_from

    draw = Draw(n=n, share=share, by=by, seed=seed, stratify=stratify)
    if out is not None:
        drawn = sample_file(file, out, draw, format=format, to=to)
        answer(as_json, drawn.as_dict() | {"out": out}, lambda _: _show(drawn, out))
    elif as_json:
        raise UsageError(
            "--json tells what was drawn, and the records are printed already.",
            mend="give --out FILE, or leave --json out",
        )
    else:
        drawn = draw_from(file, draw, format=format)
        for record in drawn_records(file, drawn, format=format):
            click.echo(record.line(to), nl=False)
    if n is not None and drawn.n_drawn_units < n:
        warn(f"there are only {counted(drawn.n_units, by)}; all are drawn")


def _show(drawn: Sample, out: str) -> None:
    groups = f", {counted(drawn.n_drawn_units, 'group')}" if drawn.draw.by == "group" else ""
    click.echo(f"{out}  {drawn.n_drawn:,} of {counted(drawn.n_records, 'record')}{groups}")
    if drawn.strata and drawn.draw.stratify:
        click.echo()
        rows = [
            [name, n, f"{n / drawn.n_drawn:.1%}", of, f"{of / drawn.n_records:.1%}"]
            for name, (n, of) in drawn.strata.items()
        ]
        table([drawn.draw.stratify, "drawn", "share", "all", "share of all"], rows)
