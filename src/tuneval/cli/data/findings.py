"""Findings as people read them: by rule, the first places of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from tuneval.cli.console import warn
from tuneval.cli.data.counted import counted

if TYPE_CHECKING:
    from tuneval.data.finding import Finding
    from tuneval.data.fix import FixReport
    from tuneval.data.validate import CheckReport, RuleFindings

_PLACES = 3
_LINES = 12
_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


def show_report(report: CheckReport, *, all_in: str | None) -> None:
    """What a check found. `all_in` is the file that has every finding, if one was asked for."""
    read_as = f"read as {report.format}" if report.format else "format unknown"
    click.secho(f"{report.file}: {read_as} ({report.format_reason})", bold=True)
    for group in report.by_rule():
        _show_rule(group, all_in)
    if report.totals:
        click.echo()
    click.echo(_counts(report))


def show_fix(fixed: FixReport, after: CheckReport) -> None:
    """What became of the records, where they are, and what a check says of the new set."""
    click.echo()
    click.secho(f"{fixed.out}: {counted(fixed.n_kept, 'record')}", bold=True)
    click.echo(f"  {fixed.n_unchanged:>9,}  as they were")
    click.echo(f"  {fixed.n_repaired:>9,}  repaired{_by(fixed.repaired_by)}")
    click.echo(f"  {fixed.n_dropped:>9,}  dropped{_by(fixed.dropped_by)}")
    if fixed.n_between:
        what = "left out between records (blank lines, byte order marks)"
        click.echo(f"  {fixed.n_between:>9,}  {what}")
    for fault in fixed.faults:
        warn(f"{fault.where}: {fault.what}")
    click.echo(f"{fixed.rejects}: what is not in the new set as it was, with the reason")
    for group in after.by_rule():
        if group.severity == "error":
            _show_rule(group, None)
    click.echo(f"the new set: {_counts(after)}")


def _by(counts: Mapping[str, int]) -> str:
    return (
        f"  ({', '.join(f'{name} {count:,}' for name, count in counts.items())})" if counts else ""
    )


def _counts(report: CheckReport) -> str:
    found = ", ".join(
        f"{count:,} {severity}{'s' * (count != 1 and severity != 'info')}"
        for severity, count in report.counts.items()
        if count
    )
    n_records = counted(report.n_records, "record")
    return f"{n_records}, {report.n_usable:,} usable; {found or 'no findings'}."


def _show_rule(group: RuleFindings, all_in: str | None) -> None:
    click.echo()
    places = counted(group.count, "place")
    click.secho(f"{group.severity}  {group.rule}  {places}", fg=_COLOURS[group.severity], bold=True)
    mends = {finding.mend for finding in group.findings}
    for finding in group.findings[:_PLACES]:
        click.echo(f"  {finding.where}  {finding.what}")
        if len(mends) > 1:
            click.echo(f"    mend: {finding.mend}")
    if len(mends) == 1:
        click.echo(f"  mend: {mends.pop()}")
    if n_more := group.count - len(group.findings[:_PLACES]):
        where = f"all are in {all_in}" if all_in else "--findings FILE writes all"
        click.echo(f"  … and {n_more:,} more: {_places(group, n_more)} ({where})")


def _places(group: RuleFindings, n_more: int) -> str:
    """The next places, by number alone where they are in the same file."""
    shown: list[Finding] = list(group.findings[_PLACES : _PLACES + _LINES])
    numbers = [finding.where.rpartition(":")[2].removeprefix("row ") for finding in shown]
    word = "row" if shown and ":row " in shown[0].where else "line"
    return f"{word}{'s' * (n_more > 1)} {', '.join(numbers)}" + ", …" * (n_more > len(numbers))
