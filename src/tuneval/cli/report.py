"""`tuneval report`: what the scores of a set say, as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuneval.cli.console import answer, json_option, progress, table

if TYPE_CHECKING:
    from tuneval.scoring.report import ScoreReport
    from tuneval.scoring.report.measures import MeasureFacts
    from tuneval.scoring.report.models import PairedMeasure


@click.command()
@click.argument("scores", metavar="SCORES…", nargs=-1, required=True)
@click.option(
    "--to", type=click.Path(file_okay=False), help="The folder.  [default: that of the scores]"
)
@json_option
def report(scores: tuple[str, ...], to: str | None, as_json: bool) -> None:
    """Write report.md and report.html on SCORES: spread, correlation, tasks, examples.

    Each is a folder with scores, a run's id, or latest. The first is reported; further ones, of
    the same examples by other models, are compared with it, example by example.
    """
    from tuneval.scoring.report import report_scores
    from tuneval.scoring.scores import find_scores

    first, *others = (find_scores(text) for text in scores)
    with progress() as tell:
        written = report_scores(first, others, folder=Path(to) if to else None, report=tell)
    answer(as_json, written.as_dict(), lambda _: _show(written))


def _show(written: ScoreReport) -> None:
    facts = written.facts
    click.echo(f"{facts.n:,} examples, {facts.n_incomplete:,} of them lack a measure")
    headings = ["measure", "scored", "mean, 95% interval", "median", "below neutral", "above"]
    table(headings, [_row(measure) for measure in facts.measures])
    for measure in facts.measures:
        for code, count in measure.account.unscored.items():
            click.echo(f"  {measure.name}: {count:,} because {measure.reasons[code][0]}")
    for found in facts.comparisons:
        click.echo()
        click.secho(f"{found.b} against {found.a}: {found.n_common:,} examples", bold=True)
        for remark in found.remarks:
            click.echo(f"  {remark.en}")
        if found.measures:
            headings = ["measure", "n", "mean difference", "rank correlation", "top 20% in common"]
            table(headings, [_paired(measure) for measure in found.measures])
    click.echo(f"\nwritten: {written.html} and {written.markdown.name}")


def _row(measure: MeasureFacts) -> list[object]:
    from tuneval.scoring.report.numbers import estimate_text, value_text

    spread, unit = measure.spread, measure.reading.unit
    sides = (
        estimate_text(share, "share") if share else "–" for share in (measure.below, measure.above)
    )
    if spread is None:
        return [measure.name, 0, "–", "–", *sides]
    mean = estimate_text(spread.mean, unit)
    return [measure.name, measure.account.scored, mean, value_text(spread.median, unit), *sides]


def _paired(paired: PairedMeasure) -> list[object]:
    from tuneval.scoring.report.numbers import difference_text, estimate_text

    ranks = paired.correlation
    return [
        paired.name,
        paired.n,
        difference_text(paired.difference, paired.reading.unit, is_log=paired.is_log),
        estimate_text(ranks.estimate, "") if ranks.estimate else f"– {ranks.why}",
        estimate_text(paired.top, "share") if paired.top else "–",
    ]
