"""`tuneval data check`: what is wrong with a set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tuneval.cli.console import answer, json_option
from tuneval.cli.data.options import format_option

if TYPE_CHECKING:
    from tuneval.data.finding import Finding
    from tuneval.data.validate import CheckReport, RuleFindings

_PLACES = 3
_LINES = 12
_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


@click.command()
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
