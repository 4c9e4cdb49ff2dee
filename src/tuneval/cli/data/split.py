"""`tuneval data split`: a set in two parts or more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import click

from tuneval.cli.console import answer, json_option, table, warn
from tuneval.cli.data.counted import counted
from tuneval.cli.data.options import format_option
from tuneval.errors import UsageError

if TYPE_CHECKING:
    from tuneval.data.split_file import SplitAccount

_SHOWN = 30


@click.command()
@click.argument("file")
@click.option(
    "--held-out",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="The share of groups to hold out, nearly.  [default: 0.25]",
)
@click.option("--parts", help="Other parts instead, as train=0.8,valid=0.1,test=0.1.")
@click.option("--out", required=True, help="The folder to fill.")
@click.option(
    "--by",
    type=click.Choice(["group", "id"]),
    default="group",
    show_default=True,
    help="Keep examples of one group together, or look at each alone.",
)
@click.option(
    "--stratify", metavar="TAG", help="Count, or with --exact keep, the shares of a tag or label."
)
@click.option(
    "--exact",
    is_flag=True,
    help="Meet the shares exactly; records added later can then move others.",
)
@click.option("--seed", default=17, show_default=True)
@click.option("--to", metavar="FORMAT", help="Write the records in another format.")
@format_option
@json_option
def split(
    file: str,
    held_out: float | None,
    parts: str | None,
    out: str,
    by: Literal["group", "id"],
    stratify: str | None,
    exact: bool,
    seed: int,
    to: str | None,
    format: str,
    as_json: bool,
) -> None:
    """Part FILE into train.jsonl and held_out.jsonl, or into --parts of your own.

    A hash of each group (of the record, where it has none) decides. So the shares are met nearly,
    and adding records later moves none. With --exact they are met as nearly as whole groups can,
    for each value of the tag that --stratify names; then adding records can move a few others.
    --stratify takes a tag, label (the answer), label.FIELD (of a JSON answer) or file.
    """
    from tuneval.data.cutting.division import Division, halves, parse_parts
    from tuneval.data.split_file import split_file

    if parts is not None and held_out is not None:
        raise UsageError("--parts and --held-out exclude each other.", mend="give one of them")
    division = Division(
        parts=parse_parts(parts) if parts is not None else halves(held_out or 0.25),
        by=by,
        seed=seed,
        stratify=stratify,
        exact=exact,
    )
    done = split_file(file, out, division, format=format, to=to)
    answer(as_json, done.as_dict(), lambda _: _show(done))
    _warn(done)


def _show(done: SplitAccount) -> None:
    for part in done.parts.values():
        click.echo(
            f"{part.file}  {counted(part.examples, 'example')}, {counted(part.keys, 'group')}: "
            f"{part.share:.1%} of the examples (asked: {part.asked:.1%})"
        )
    if done.strata:
        click.echo()
        shown = list(done.strata.items())[:_SHOWN]
        rows = [[stratum, *_shares(counts)] for stratum, counts in shown]
        table([done.division.stratify or "", *done.parts], rows)
        if len(done.strata) > _SHOWN:
            click.echo(f"… and {len(done.strata) - _SHOWN} more (--json shows all)")


def _shares(counts: Mapping[str, int]) -> list[str]:
    total = sum(counts.values())
    return [f"{count} ({count / total:.0%})" for count in counts.values()]


def _warn(done: SplitAccount) -> None:
    if done.n_on_both_sides:
        warn(
            f"{counted(done.n_on_both_sides, 'conversation')} on both sides: their copies are "
            "in different groups; `tuneval data check` names them"
        )
    if done.division.exact and done.n_groups_of_several_strata:
        warn(
            f"{counted(done.n_groups_of_several_strata, 'group')} with more than one "
            f"'{done.division.stratify}'; a group counts as its first record does"
        )
    if missing := done.missing:
        named = "; ".join(f"{part} has no '{stratum}'" for stratum, part in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        mend = "" if done.division.exact else "; --exact shares each value out"
        warn(f"{named}{more}{mend}")
