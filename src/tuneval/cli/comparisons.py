"""How comparisons, gates and orders over several metrics look in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from tuneval.cli.console import table, warn
from tuneval.cli.evaluations import averaged_text

if TYPE_CHECKING:
    from tuneval.evaluation.comparing.compare_several import SeveralComparisons
    from tuneval.evaluation.comparing.comparison import Comparison, ComparisonRow


def show_all(
    content: Mapping[str, Any], compared: Comparison | SeveralComparisons | None, n_flips: int
) -> None:
    """The comparison, then what `tuneval compare` was asked for beside it."""
    from tuneval.evaluation.comparing.comparison import Comparison

    if isinstance(compared, Comparison):
        show_table(compared)
        _show_flips(compared, n_flips)
    elif compared is not None:
        _show_several(compared)
    for pair, found in content.get("followed", {}).items():
        _show_followed(pair, found)
    if "ranks" in content:
        show_ranks(content["ranks"])
    for gate in content.get("gates", ()):
        said = "fails" if gate["failed"] else "passes"
        click.echo(f'{said}: --fail-{gate["fails"]} "{gate["condition"]}"')
        for reason in gate["reasons"]:
            click.echo(f"  {reason}")
    if "report" in content:
        click.echo(f"report: {content['report']}")


def row_name(row: ComparisonRow) -> str:
    """The metric as one types it, and over what it is averaged."""
    return averaged_text(row.metric, row.over)


def show_table(found: Comparison) -> None:
    """Both sides and their difference on every metric, each with its interval."""
    from tuneval.evaluation.catalogs.metric_names import reading_order
    from tuneval.evaluation.report import verdict
    from tuneval.evaluation.report.numbers import difference_text, estimate_text, p_text

    rows = [
        [
            row_name(row),
            estimate_text(row.a),
            estimate_text(row.b),
            difference_text(row.difference),
            p_text(row.p_holm),
            row.verdict if row.verdict == "unclear" else verdict.among_many(row).en,
        ]
        for row in sorted(found.rows, key=lambda row: reading_order(row.metric))
    ]
    table(["metric", found.a, found.b, "difference", "p (Holm)", "verdict"], rows)
    groups = "" if found.n_groups is None else f" in {found.n_groups} independent groups"
    click.echo(
        f"{found.n_items} paired items{groups}; 95% intervals; difference: {found.b} less {found.a}"
    )
    click.echo(verdict.tests_of(found.rows).en)
    for warning in found.warnings:
        warn(warning)


def _show_several(found: SeveralComparisons) -> None:
    """Who may stand where by each metric, then every pair."""
    from tuneval.evaluation.report.standings import HEADINGS, letters, standing_rows
    from tuneval.pages.text import english

    rows = standing_rows(found.standings, found.pairs, row_name)
    table([english(each) for each in HEADINGS], [[english(c) for c in row] for row in rows])
    click.echo(letters(len(found.pairs)).en)
    for pair in found.pairs.values():
        click.echo("")
        show_table(pair)


def _show_flips(found: Comparison, shown: int) -> None:
    if found.flips_metric is None:
        return
    for side, flips in (("improved", found.improved), ("worsened", found.worsened)):
        click.echo(f"\n{side} on {found.flips_metric}: {len(flips)} items")
        for flip in flips[:shown]:
            click.echo(f"  {flip.source}: {flip.prompt}")
            for name, said in (("expected", flip.label), (found.a, flip.a), (found.b, flip.b)):
                click.echo(f"    {name:<8}  {said}")


def _show_followed(pair: str, found: dict[str, Any]) -> None:
    """When a pair was decided; its p-value and interval hold however often one looked."""
    from tuneval.evaluation.report.numbers import difference_text, p_text
    from tuneval.statistics.estimate import Estimate

    decided = (
        "undecided"
        if found["decided_after"] is None
        else f"{found['verdict']} after {found['decided_after']}"
    )
    difference = difference_text(Estimate.from_dict(found["difference"]))
    click.echo(
        f"{pair}, one item after the other: {decided} of {found['n']} items, {difference}, "
        f"p {p_text(found['p_value'])} at any time"
    )


def show_ranks(found: dict[str, Any]) -> None:
    """Who stands where by mean rank, and which pairs leaving out a third turns round."""
    rows = []
    for row in found["rows"]:
        places = sorted({row["best"], row["worst"]})
        ranks = ", ".join(f"{metric} {rank:g}" for metric, rank in row["ranks"].items())
        shown = f"{row['mean_rank']:.2f}", f"{row['borda']:g}", " to ".join(map(str, places))
        rows.append([row["name"], *shown, ranks])
    click.echo("")
    table(["evaluation", "mean rank", "Borda", "place as others are left out", "ranks"], rows)
    for each in found["reversals"]:
        click.echo(
            f"without {each['without']}, {each['behind']} is ahead of {each['ahead']}: "
            "this order depends on who takes part"
        )
