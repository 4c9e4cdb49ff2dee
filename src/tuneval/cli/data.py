"""`tuneval data`: check a file of examples, show its tokens, part it in two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from tuneval.cli.console import answer, json_option, warn

if TYPE_CHECKING:
    from tuneval.data.finding import Finding
    from tuneval.data.validate import CheckReport, RuleFindings

_PLACES = 3
_LINES = 12
_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}

format_option = click.option(
    "--format",
    default="auto",
    show_default=True,
    help="Insist on a format: messages or alpaca.",
)


@click.group()
def data() -> None:
    """Check, show and split files of examples (messages or alpaca; JSON lines or a JSON array)."""


@data.command()
@click.argument("file")
@format_option
@json_option
def check(file: str, format: str, as_json: bool) -> int:
    """Find what is wrong with FILE, line by line, and how to mend it.

    Exit status: 0 no errors (there may be warnings), 1 errors, 2 wrong use.
    """
    from tuneval.data.validate import check as check_file

    report = check_file(file, format)
    answer(as_json, report.as_dict(), lambda _: _show_report(report))
    return report.exit_status


@data.command()
@click.argument("file")
@click.option("--model", required=True, help="The model whose tokens to show.")
@click.option("--template", default="auto", show_default=True, help="The chat template.")
@click.option("--limit", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--max-length", type=click.IntRange(min=1), help="Cut as training would.")
@json_option
def show(
    file: str, model: str, template: str, limit: int, max_length: int | None, as_json: bool
) -> None:
    """Show the first examples of FILE as tokens, those that training learns in colour."""
    from tuneval.cli.show import show_tokens

    show_tokens(
        file, model=model, template=template, limit=limit, max_length=max_length, as_json=as_json
    )


@data.command()
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


def _show_report(report: CheckReport) -> None:
    read_as = f"read as {report.format}" if report.format else "format unknown"
    click.secho(f"{report.file}: {read_as} ({report.format_reason})", bold=True)
    for group in report.by_rule():
        _show_rule(group)
    counts = ", ".join(
        f"{count} {severity}{'s' * (count != 1 and severity != 'info')}"
        for severity, count in report.counts.items()
        if count
    )
    click.echo(f"{report.n_records} records, {report.n_usable} usable; {counts or 'no findings'}.")


def _show_rule(group: RuleFindings) -> None:
    places = f"{len(group.findings)} place{'s' * (len(group.findings) != 1)}"
    click.echo()
    click.secho(f"{group.severity}  {group.rule}  {places}", fg=_COLOURS[group.severity], bold=True)
    mends = {finding.mend for finding in group.findings}
    for finding in group.findings[:_PLACES]:
        click.echo(f"  {finding.where}  {finding.what}")
        if len(mends) > 1:
            click.echo(f"    mend: {finding.mend}")
    if len(mends) == 1:
        click.echo(f"  mend: {mends.pop()}")
    if rest := group.findings[_PLACES:]:
        click.echo(f"  … and {len(rest)} more: {_lines(rest)} (--json shows all)")


def _lines(findings: tuple[Finding, ...]) -> str:
    """The first places as line numbers."""
    numbers = [finding.where.rpartition(":")[2] for finding in findings[:_LINES]]
    return f"line{'s' * (len(findings) > 1)} {', '.join(numbers)}" + (
        ", …" if len(findings) > _LINES else ""
    )


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
