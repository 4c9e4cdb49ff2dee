"""`tuneval data convert`: a set in another format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from tuneval.cli.console import answer, json_option, warn
from tuneval.cli.data.counted import counted
from tuneval.cli.data.options import format_option

if TYPE_CHECKING:
    from tuneval.data.convert import Conversion

_KEYS = 10


@click.command()
@click.argument("source")
@click.option("--to", required=True, metavar="FORMAT", help="The format to write.")
@click.option("--out", required=True, metavar="FILE", help="The file to write, of a kind by name.")
@click.option(
    "--keep",
    type=click.Choice(["chosen", "rejected"]),
    help="Make conversations of preferences with this answer.",
)
@format_option
@json_option
def convert(
    source: str,
    to: str,
    out: str,
    keep: Literal["chosen", "rejected"] | None,
    format: str,
    as_json: bool,
) -> int:
    """Write SOURCE as FILE in another format, such as messages, alpaca or sharegpt.

    What the format has no place for, and what is broken, goes to FILE's name with
    .rejects.jsonl, each record with the reason. Exit status: 0 all is written, 1 something was
    rejected (the rest is written), 2 wrong use.
    """
    from tuneval.data.convert import convert as convert_set

    done = convert_set(source, out, to=to, format=format, keep=keep)
    answer(as_json, done.as_dict(), lambda _: _show(done))
    if done.unread_keys:
        keys = [f"{key} ({n:,})" for key, n in done.unread_keys.items()]
        more = f" and {len(keys) - _KEYS} more (--json shows all)" if len(keys) > _KEYS else ""
        shown = ", ".join(keys[:_KEYS])
        warn(f"not read by the format {done.format}, so not in {out}: {shown}{more}")
    return done.exit_status


def _show(done: Conversion) -> None:
    read_as = f"read as {done.format}" if done.format else "format unknown"
    click.secho(f"{done.source}: {read_as} ({done.format_reason})", bold=True)
    if done.n_written:
        click.echo(f"{done.target}  {counted(done.n_written, 'record')} as {done.to}")
    else:
        click.echo(f"{done.target}  is not written: there is no record for it")
    if done.rejected_file is None:
        return
    click.echo(f"{done.rejected_file}  {counted(done.n_rejected, 'record')} rejected")
    for reason, count in done.reasons.items():
        click.echo(f"  {count:>6,}  {reason}")
    for rule, count in done.beside.items():
        click.echo(f"  {count:>6,}  {rule} (belongs to no record)")
