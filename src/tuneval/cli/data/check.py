"""`tuneval data check`: what is wrong with a set, and a new set without it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from tuneval.cli.console import answer, json_option
from tuneval.cli.data.asked import Asked
from tuneval.cli.data.findings import show_fix, show_report
from tuneval.cli.data.long_work import megabytes
from tuneval.cli.data.more_rules import more_rules
from tuneval.cli.data.options import format_option

if TYPE_CHECKING:
    from tuneval.data.finding import Finding
    from tuneval.data.fix import FixReport
    from tuneval.data.rule import Rule
    from tuneval.data.validate import CheckReport


class _ProfileOption(click.Option):
    """Names the profiles when somebody asks for help, those of plugins too."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The option's lines."""
        from tuneval.data.profiles import PROFILES

        self.help = f"Whose rules to check by: {', '.join(PROFILES)}."
        return super().get_help_record(ctx)


@click.command()
@click.argument("file", metavar="SET")
@format_option
@click.option(
    "--profile", cls=_ProfileOption, default="everyday", show_default=True, metavar="NAME"
)
@click.option("--model", help="Name records that are too long in this model's tokens.")
@click.option(
    "--max-length", type=click.IntRange(min=1), help="The most tokens.  [what the model takes]"
)
@click.option("--against", multiple=True, metavar="SET", help="Name records that this set has too.")
@click.option(
    "--fix",
    type=click.Choice(["drop", "repair"]),
    help="Write a new set: without the records that have errors, or with them repaired where "
    "nothing is lost by it.",
)
@click.option("--out", metavar="FILE", help="The new set.")
@click.option("--rejects", metavar="FILE", help="All that it has not.  [OUT's name.rejects.jsonl]")
@click.option("--drop-duplicates", is_flag=True, help="Of equal records keep the first.")
@click.option("--findings", metavar="FILE", help="Write every finding, as JSON lines.")
@click.option("--junit", metavar="FILE", help="Write a report for CI systems, as JUnit XML.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes.  [one for each CPU]")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@json_option
def check(as_json: bool, **options: Any) -> int:
    """Find what is wrong with SET, line by line, and how to mend it.

    With --fix the records that can stay go to a new file, as they stand where they need no
    repair. A second file has everything else, with the reasons and the original text.

    Exit status: 0 no errors (there may be warnings), 1 errors, 2 wrong use. With --fix it is
    that of the new set.
    """
    asked = Asked(**options)
    asked.refuse_what_does_not_fit()
    rules = more_rules(model=asked.model, max_length=asked.max_length, against=asked.against)
    report = _checked(asked, rules)
    if asked.fix is None:
        answer(as_json, report.as_dict(), lambda _: show_report(report, all_in=asked.findings))
        return _status(report, asked)
    if not as_json:
        show_report(report, all_in=asked.findings)
    fixed, after = _fixed(asked, rules)
    content = report.as_dict() | {"fix": fixed.as_dict(), "fixed": after.as_dict()}
    answer(as_json, content, lambda _: show_fix(fixed, after))
    return _status(after, asked)


def _checked(asked: Asked, rules: list[Rule]) -> CheckReport:
    from tuneval.data.validate import check as check_set

    with _finding_file(asked.findings) as note, megabytes("checking") as seen:
        report = check_set(
            asked.file,
            asked.format,
            profile=asked.profile,
            and_rules=rules,
            workers=asked.workers,
            on_finding=note,
            progress=seen,
        )
    if asked.junit is not None:
        from tuneval import files
        from tuneval.data.junit import junit_xml

        files.write_bytes(asked.junit, junit_xml([report], strict=asked.strict))
    return report


def _fixed(asked: Asked, rules: list[Rule]) -> tuple[FixReport, CheckReport]:
    from tuneval.data.fix import fix
    from tuneval.data.validate import check as check_set

    assert asked.fix is not None
    assert asked.out is not None
    with megabytes("fixing") as seen:
        fixed = fix(
            asked.file,
            asked.out,
            how=asked.fix,
            format=asked.format,
            profile=asked.profile,
            and_rules=[rule.anew() for rule in rules],
            rejects=asked.rejects,
            duplicates="drop" if asked.drop_duplicates else "keep",
            progress=seen,
        )
    with megabytes("checking the new set") as seen:
        after = check_set(
            asked.out,
            fixed.format,
            profile=asked.profile,
            and_rules=rules,
            workers=asked.workers,
            progress=seen,
        )
    return fixed, after


def _status(report: CheckReport, asked: Asked) -> int:
    return int(report.exit_status or (asked.strict and report.counts["warning"] > 0))


@contextmanager
def _finding_file(path: str | None) -> Iterator[Callable[[Finding], object] | None]:
    """A function that writes a finding to the file; None when none is asked for."""
    if path is None:
        yield None
        return
    from tuneval import files

    with files.atomic_writer(path) as stream:

        def note(finding: Finding) -> None:
            line = json.dumps(finding.as_dict(), ensure_ascii=False)
            stream.write(line.encode("utf-8") + b"\n")

        yield note
