"""`tuneval compare`: evaluations of the same items, item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuneval.cli.console import answer, json_option, table, warn
from tuneval.cli.rank_table import show_ranks
from tuneval.errors import UsageError

if TYPE_CHECKING:
    from tuneval.evaluation.comparing.comparison import Evaluation
    from tuneval.evaluation.comparing.gate import GateResult


@click.command()
@click.argument("evaluations", nargs=-1, required=True, metavar="A B [C…]")
@click.option("--metric", "metrics", multiple=True, help="Only these metrics; may stand often.")
@click.option("--flips-on", help="List the items that flip on this metric.")
@click.option(
    "--show", type=click.IntRange(min=0), default=3, show_default=True, help="Flips shown."
)
@click.option(
    "--fail-if",
    multiple=True,
    metavar="CONDITION",
    help='End with status 1 where it holds: "accuracy < base - 1pt @95%"; may stand often.',
)
@click.option(
    "--fail-unless",
    multiple=True,
    metavar="CONDITION",
    help='End with status 1 where it does not hold: "accuracy > base - 1pt @95%".',
)
@click.option(
    "--follow",
    metavar="METRIC",
    help="Also say after how many items in random order it was decided.",
)
@click.option(
    "--margin",
    type=click.FloatRange(min=0, min_open=True),
    metavar="POINTS",
    help="With --follow: a difference within so many points is decided too, as alike.",
)
@click.option(
    "--rank-by",
    metavar="A,B,…",
    help="Also one order of all by these metrics together, by mean rank.",
)
@json_option
def compare(
    evaluations: tuple[str, ...],
    metrics: tuple[str, ...],
    flips_on: str | None,
    show: int,
    fail_if: tuple[str, ...],
    fail_unless: tuple[str, ...],
    follow: str | None,
    margin: float | None,
    rank_by: str | None,
    as_json: bool,
) -> int:
    """Compare evaluation B with evaluation A, item by item; differences are B less A.

    Each is an evaluation's folder or RUN:NAME, such as latest:base; LABEL= before it names it
    here. Of three and more every pair is compared, and those that cannot be told apart are tied.
    One alone can only be held against a number: --fail-if "exact_match < 60%".
    """
    named = _load(evaluations)
    judged = _judge(named, fail_if, fail_unless)
    content = _compared(named, metrics, flips_on)
    if judged:
        content["gates"] = [gate.as_dict() for gate in judged]
    if follow is not None:
        content["followed"] = _followed(named, follow, margin)
    if rank_by is not None:
        content["ranks"] = _ranks(named, rank_by)
    answer(as_json, content, lambda found: _show(found, show))
    return int(any(gate.failed for gate in judged))


def show_table(comparison: dict[str, Any]) -> None:
    """Both sides and their difference on every metric, each with its interval."""
    from tuneval.evaluation.catalogs.metric_names import reading_order
    from tuneval.evaluation.comparing.comparison import Comparison
    from tuneval.evaluation.report import verdict
    from tuneval.evaluation.report.numbers import difference_text, estimate_text, p_text

    found = Comparison.from_dict(comparison)
    rows = [
        [
            row.metric,
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
    for warning in found.warnings:
        warn(warning)


def _load(texts: Sequence[str]) -> dict[str, Evaluation]:
    """The evaluations by name; a label goes before the name that one was saved under."""
    from tuneval.evaluation.comparing.compare_several import renamed
    from tuneval.evaluation.comparing.comparison import Evaluation
    from tuneval.evaluation.own_file import find_evaluation

    found: dict[str, Evaluation] = {}
    for text in texts:
        label, equals, place = text.partition("=")
        is_labelled = bool(equals) and not Path(text).exists()
        evaluation = Evaluation.load(find_evaluation(place if is_labelled else text))
        name = label if is_labelled else evaluation.result.name
        name = text if name in found else name
        found[name] = renamed(evaluation, name)
    if len(found) < len(texts):
        raise UsageError("The same evaluation stands twice.", mend="name each once")
    return found


def _judge(
    named: Mapping[str, Evaluation], fail_if: Sequence[str], fail_unless: Sequence[str]
) -> list[GateResult]:
    from tuneval.evaluation.comparing.gate import judge, parse_condition

    conditions = [parse_condition(text) for text in (*fail_if, *fail_unless)]
    if len(named) < 2 and not conditions:
        raise UsageError("A comparison needs two evaluations.", mend="name another one")
    return [
        judge(condition, named, fails="if" if place < len(fail_if) else "unless")
        for place, condition in enumerate(conditions)
    ]


def _compared(
    named: Mapping[str, Evaluation], metrics: Sequence[str], flips_on: str | None
) -> dict[str, Any]:
    """A comparison of two, or of every pair of several; nothing of one."""
    from tuneval.evaluation.comparing.compare import compare as compare_two
    from tuneval.evaluation.comparing.compare_several import compare_several

    found = list(named.values())
    if len(found) == 1:
        return {}
    if len(found) == 2:
        return compare_two(*found, metrics=metrics or None, flips_on=flips_on).as_dict()
    if flips_on is not None:
        raise UsageError("Flips are listed for two evaluations.", mend="leave out --flips-on")
    return compare_several(found, metrics=metrics or None).as_dict()


def _followed(
    named: Mapping[str, Evaluation], metric: str, margin: float | None
) -> dict[str, dict[str, Any]]:
    from tuneval.evaluation.comparing.follow import follow

    return {
        f"{a} → {b}": follow(named[a], named[b], metric, margin_points=margin).as_dict()
        for a, b in combinations(named, 2)
    }


def _ranks(named: Mapping[str, Evaluation], metrics: str) -> dict[str, Any]:
    from tuneval.evaluation.comparing.rank_aggregation import aggregate
    from tuneval.evaluation.metrics import names_in

    return aggregate(list(named.values()), names_in(metrics)).as_dict()


_BESIDE = ("gates", "followed")
"""What stands beside the comparison in the answer."""


def _show(content: dict[str, Any], shown: int) -> None:
    compared = {key: value for key, value in content.items() if key not in _BESIDE}
    if "standings" in compared:
        _show_several(compared)
    elif compared:
        show_table(compared)
        _show_flips(compared, shown)
    for pair, found in content.get("followed", {}).items():
        _show_followed(pair, found)
    if "ranks" in content:
        show_ranks(content["ranks"])
    for gate in content.get("gates", ()):
        said = "fails" if gate["failed"] else "passes"
        click.echo(f'{said}: --fail-{gate["fails"]} "{gate["condition"]}"')
        for reason in gate["reasons"]:
            click.echo(f"  {reason}")


def _show_several(content: dict[str, Any]) -> None:
    """Who may stand where by each metric, then every pair."""
    from tuneval.evaluation.report.numbers import value_text

    pairs = content["pairs"]
    units = {row["metric"]: row["unit"] for pair in pairs.values() for row in pair["rows"]}
    rows = []
    for metric, standings in content["standings"].items():
        for each in standings:
            ranks = sorted({each["best_rank"], each["worst_rank"]})
            rows.append(
                [
                    metric,
                    " to ".join(map(str, ranks)),
                    each["name"],
                    value_text(each["value"], units[metric]),
                    " ".join(each["sets"]),
                ]
            )
    table(["metric", "rank", "evaluation", "value", "tied sets"], rows)
    click.echo(
        "evaluations that share a letter are not told apart; p adjusted for all metrics of all "
        f"{len(pairs)} pairs (Holm)"
    )
    for pair in pairs.values():
        click.echo("")
        show_table(pair)


def _show_flips(comparison: dict[str, Any], shown: int) -> None:
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
