"""`tuneval data mix`: sets joined, each with its weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tuneval.cli.console import answer, json_option, table, warn
from tuneval.cli.data.counted import counted
from tuneval.cli.data.options import format_option
from tuneval.errors import UsageError

if TYPE_CHECKING:
    from tuneval.data.mix import Mix


@click.command()
@click.argument("sets", nargs=-1, required=True, metavar="SET[=WEIGHT]…")
@click.option("--out", required=True, help="The file to write.")
@click.option(
    "--strategy",
    default="proportional",
    show_default=True,
    help="proportional, concat, interleave_under or interleave_over.",
)
@click.option("--total", type=click.IntRange(min=1), help="Take so many records in all.")
@click.option("--seed", default=17, show_default=True)
@click.option("--tag", default="mix", show_default=True, help="The tag that names a record's set.")
@click.option("--no-tag", is_flag=True, help="Write no such tag.")
@click.option("--to", metavar="FORMAT", help="Write the records in this format.")
@format_option
@json_option
def mix(
    sets: tuple[str, ...],
    out: str,
    tag: str,
    no_tag: bool,
    to: str | None,
    format: str,
    as_json: bool,
    **how: Any,
) -> None:
    """Join sets into one file; its name says of which kind, such as mixed.jsonl.

    A weight says how often each record is taken: 2 is every record twice, 0.5 is half of the
    records, drawn by the seed. With --total the weights are proportions. `proportional` spreads
    each set evenly over the file, `concat` puts one after the other. With the interleave
    strategies a weight is the chance of a set to give the next record; interleave_under ends as
    soon as one set is used up, interleave_over when all are, beginning short ones anew.
    """
    from tuneval.data.cutting.mixture import Mixture, parse_ingredients
    from tuneval.data.mix import mix as mix_sets

    if not tag:
        raise UsageError("A tag needs a name.", mend="--no-tag writes none")
    mixture = Mixture(ingredients=parse_ingredients(sets), **how)
    done = mix_sets(mixture, out, tag=None if no_tag else tag, format=format, to=to)
    answer(as_json, done.as_dict(), lambda _: _show(done))
    for share in done.shares:
        if share.n_taken == 0:
            warn(f"{share.location} gave no record: it has {counted(share.n_records, 'record')}")


def _show(done: Mix) -> None:
    rows = [
        [s.name, s.weight, s.n_records, s.n_taken, f"{s.n_taken / done.n_records:.1%}"]
        for s in done.shares
    ]
    table(["set", "weight", "records", "taken", "of the mixture"], rows)
    click.echo(f"\n{done.file}  {counted(done.n_records, 'record')} as {done.format}")
    if done.n_repeated:
        click.echo(f"  {counted(done.n_repeated, 'record')} repeat an earlier one")
    if done.n_in_several:
        click.echo(f"  {counted(done.n_in_several, 'conversation')} in more than one of the sets")
