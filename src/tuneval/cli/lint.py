"""`tuneval evaluate lint`: what is wrong with a task before anybody is asked."""

from __future__ import annotations

from typing import Any

import click

from tuneval.cli.console import answer, json_option

SHOWN_PER_RULE = 5


@click.command()
@click.argument("task", metavar="KIND[=PATH][,option=value]…")
@click.option("--training", multiple=True, metavar="SET", help="Find the questions in this set.")
@json_option
def lint(task: str, training: tuple[str, ...], as_json: bool) -> int:
    """Find doubles, keys that conflict or cannot be met, and questions that are given away.

    Exit status: 0 no errors (there may be warnings), 1 errors, 2 wrong use.
    """
    from tuneval.data.finding import has_error
    from tuneval.evaluation.lint import lint as lint_task
    from tuneval.evaluation.tasks.spelling import task_from_text

    report = lint_task(task_from_text(task), training=training)
    answer(as_json, report.as_dict(), _show)
    return int(has_error(report.findings))


def _show(report: dict[str, Any]) -> None:
    click.echo(f"{report['task']}: {report['n_questions']} questions, {report['protocol']}")
    if not report["findings"]:
        click.echo("nothing found")
    for rule, count in report["counts"].items():
        found = [finding for finding in report["findings"] if finding["rule"] == rule]
        click.echo(f"\n{rule} ({found[0]['severity']}): {count}")
        for finding in found[:SHOWN_PER_RULE]:
            click.echo(f"  {finding['where']}  {finding['what']}")
        if count > SHOWN_PER_RULE:
            click.echo(f"  … {count - SHOWN_PER_RULE} more; --json has them all")
        click.echo(f"  mend: {found[0]['mend']}")
