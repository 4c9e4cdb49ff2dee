"""`tuneval stability`: how far a figure moves when nothing but chance, or one thing, changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tuneval.cli.console import answer, json_option, table, warn

if TYPE_CHECKING:
    from tuneval.evaluation.stability.stability import Detectable, Stability, StabilityRow
    from tuneval.statistics.estimate import Estimate


@click.command()
@click.argument("runs", nargs=-1, required=True)
@click.option("--metric", "metrics", multiple=True, help="Only these metrics; may stand often.")
@click.option(
    "--difference",
    type=click.FloatRange(min=0, min_open=True),
    metavar="POINTS",
    help="Also say how many items or runs would reveal such a difference of two models.",
)
@json_option
def stability(
    runs: tuple[str, ...], metrics: tuple[str, ...], difference: float | None, as_json: bool
) -> None:
    """Split the spread of repeated RUNS into what the items, the run, and both together make.

    Each of RUNS is an evaluation's folder, RUN:NAME, or a run with all its evaluations, as
    `tuneval evaluate … --repeats 5 --vary seed` leaves it. The reading (below 1 point noise, 1 to 3
    watch, above 5 investigate) is of the run part.
    """
    from tuneval.evaluation.stability.found import find_repeats
    from tuneval.evaluation.stability.stability import stability as stability_of

    found = stability_of(find_repeats(runs), metrics=metrics or None, points=difference)
    answer(as_json, found.as_dict(), lambda _: _show(found))


def _show(found: Stability) -> None:
    for title in dict.fromkeys((row.model, row.name) for row in found.rows):
        rows = [row for row in found.rows if (row.model, row.name) == title]
        click.echo(f"{title[1]}, {title[0]}")
        _show_parts(rows)
        click.echo("")
        _show_power(rows)
        click.echo("")
    _show_sources(found)
    _show_differences(found)


def _show_parts(rows: Sequence[StabilityRow]) -> None:
    """Standard deviations of one run's score, by what they come from."""
    from tuneval.evaluation.catalogs.metric_names import reading_order
    from tuneval.evaluation.report.numbers import value_text

    table(
        ["metric", "source", "runs", "scores", "between runs", "run part", "item part",
         "items that change", "reading"],
        [
            [
                row.metric,
                row.source,
                len(row.scores),
                f"{value_text(min(row.scores.values()), row.unit)} to "
                f"{value_text(max(row.scores.values()), row.unit)}",
                _deviation(row.between_runs),
                "–" if row.parts is None else _deviation(row.parts.run),
                "–" if row.parts is None else _deviation(row.parts.items),
                "–" if row.n_changed is None else f"{row.n_changed} of {row.n_items}",
                _reading(row),
            ]
            for row in sorted(rows, key=lambda row: reading_order(row.metric))
        ],
    )  # fmt: skip
    click.echo(
        "standard deviations in points, with 95% intervals; item part: what other items alone "
        "would change; run part: what moves all items of a run alike"
    )
    for row in rows:
        if row.why_no_parts is not None:
            warn(f"{row.metric} by {row.source}: {row.why_no_parts}")
        if row.n_left_out:
            warn(f"{row.metric} by {row.source}: {row.n_left_out} items do not count in every run")


def _show_power(rows: Sequence[StabilityRow]) -> None:
    """What two models would have to differ by."""
    asked = any(each.asked for row in rows for each in row.detectable)
    headers = ["metric", "source", "two runs of one model differ by up to",
               "revealed, same items", "revealed, other items"]  # fmt: skip
    more = ["asked", "items for it", "runs for it"] if asked else []
    table(
        [*headers, *more],
        [
            [
                row.metric,
                row.source,
                _size(row.two_runs, row.unit),
                *(_size(each.smallest, row.unit) for each in row.detectable),
                *(_needed(row) if asked else ()),
            ]
            for row in rows
            if row.detectable
        ],
    )
    click.echo(
        "revealed: the least true difference of two models that so many runs and items of each "
        "show four times out of five; best case: items as hard for both; worst: other items"
    )


def _show_sources(found: Stability) -> None:
    from tuneval.evaluation.report.numbers import p_text

    if not found.sources:
        return
    table(
        ["metric", "source", "and", "moves answers more", "p"],
        [
            [
                each.metric,
                each.first,
                each.second,
                each.moves_more or "cannot be told",
                p_text(each.comparison.p_value),
            ]
            for each in found.sources
        ],
    )


def _show_differences(found: Stability) -> None:
    """Fields in which the runs differ, so that nothing else changed unseen."""
    for what, groups in (("asked", found.settings), ("environment", found.environment)):
        for title, fields in groups.items():
            for name, values in fields.items():
                shown = ", ".join(dict.fromkeys(values.values()))
                click.echo(f"{what} differs ({title}): {name}: {shown[:160]}")


def _reading(row: StabilityRow) -> str:
    if row.reading is None:
        return "–"
    sure = "" if row.reading.is_sure else f"; {row.reading.at_most} is not ruled out"
    dominant = "" if row.dominant is None else f"; most comes from the {_PARTS[row.dominant]}"
    return f"{row.reading.kind}{sure}{dominant}"


_PARTS = {"items": "items", "run": "run", "interaction": "draws of single answers"}


def _deviation(estimate: Estimate) -> str:
    between = ""
    if estimate.low is not None and estimate.high is not None:
        ends = (_size(end, estimate.unit) for end in (estimate.low, estimate.high))
        between = f" [{', '.join(ends)}]"
    return _size(estimate.value, estimate.unit) + between


def _size(value: float, unit: str) -> str:
    return f"{value * 100:.2f}" if unit == "share" else f"{value:.3g}"


def _needed(row: StabilityRow) -> list[str]:
    """What the best case takes, and the worst."""
    asked = row.detectable[0].asked
    if asked is None:
        return ["–", "–", "–"]
    return [
        _size(asked, row.unit),
        _range(row.detectable, "items_for"),
        _range(row.detectable, "runs_for"),
    ]


def _range(detectable: Sequence[Detectable], name: str) -> str:
    ends = [getattr(each, name) for each in detectable]
    return " to ".join("never" if end is None else f"{end:,}" for end in dict.fromkeys(ends))
