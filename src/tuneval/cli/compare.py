"""`tuneval compare`: two evaluations of the same items, item by item."""

from __future__ import annotations

from typing import Any

import click

from tuneval.cli.console import answer, json_option, table, warn


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--metric", "metrics", multiple=True, help="Only these metrics; may stand often.")
@click.option("--flips-on", help="List the items that flip on this metric.")
@click.option(
    "--show", type=click.IntRange(min=0), default=3, show_default=True, help="Flips shown."
)
@json_option
def compare(
    a: str, b: str, metrics: tuple[str, ...], flips_on: str | None, show: int, as_json: bool
) -> None:
    """Compare evaluation B with evaluation A, item by item; differences are B less A.

    Each is an evaluation's folder or RUN:NAME, such as latest:base.
    """
    from tuneval.evaluation.compare import Evaluation
    from tuneval.evaluation.compare import compare as compare_evaluations
    from tuneval.evaluation.own_file import find_evaluation

    first, second = (Evaluation.load(find_evaluation(text)) for text in (a, b))
    found = compare_evaluations(first, second, metrics=metrics or None, flips_on=flips_on)
    answer(as_json, found.as_dict(), lambda content: _show(content, show))


def show_table(comparison: dict[str, Any]) -> None:
    """Both sides and their difference on every metric, each with its interval."""
    from tuneval.evaluation.compare import Comparison
    from tuneval.evaluation.report.names import reading_order
    from tuneval.evaluation.report.numbers import difference_text, estimate_text, p_text

    found = Comparison.from_dict(comparison)
    rows = [
        [
            row.metric,
            estimate_text(row.a),
            estimate_text(row.b),
            difference_text(row.difference),
            p_text(row.p_holm),
            row.verdict,
        ]
        for row in sorted(found.rows, key=lambda row: reading_order(row.metric))
    ]
    table(["metric", found.a, found.b, "difference", "p (Holm)", "verdict"], rows)
    groups = "" if found.n_groups is None else f" in {found.n_groups} independent groups"
    click.echo(
        f"{found.n_items} paired items{groups}; 95% intervals; difference: {found.b} less {found.a}"
    )
    for warning in found.warnings:
        warn(warning)


def _show(comparison: dict[str, Any], shown: int) -> None:
    show_table(comparison)
    if comparison["flips_metric"] is None:
        return
    for side in ("improved", "worsened"):
        flips = comparison[side]
        click.echo(f"\n{side} on {comparison['flips_metric']}: {len(flips)} items")
        for flip in flips[:shown]:
            click.echo(f"  {flip['source']}: {flip['prompt']}")
            click.echo(f"    expected  {flip['label']}")
            for model in ("a", "b"):
                click.echo(f"    {comparison[model]:<8}  {flip[model]}")
