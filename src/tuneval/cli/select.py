"""`tuneval select`: choose examples by their scores."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import click

from tuneval.cli.console import answer, json_option, progress, table

_SHOWN = 30


@click.command()
@click.argument("scores")
@click.option(
    "--keep", multiple=True, metavar="EXPRESSION", help='Must hold, as "ifd < 1"; may stand often.'
)
@click.option("--by", metavar="EXPRESSION", help="Rank by it: a measure, or a sum of some.")
@click.option(
    "--order",
    type=click.Choice(["descending", "ascending"]),
    help="The highest first, or the lowest.  [default: descending]",
)
@click.option(
    "--top", metavar="AMOUNT", help='Of the whole set: 20%, 500, "200000 tokens" or "20% tokens".'
)
@click.option(
    "--quota", metavar="FACET", help="Keep the shares of: task, a tag, label, label.NAME, group."
)
@click.option("--diverse", type=click.Choice(["embeddings"]), help="Leave out what is alike.")
@click.option(
    "--diverse-by",
    type=click.Choice(["k_center", "facility_location", "threshold"]),
    help="How.  [default: k_center]",
)
@click.option(
    "--pool", metavar="AMOUNT", help="How many best-ranked to choose from.  [default: twice --top]"
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True),
    help="Out is what is more like a kept one.  [default: 0.9]",
)
@click.option("--embeddings", metavar="ENCODER", help="bundled:…, a folder, a hub id, model:….")
@click.option("--random", is_flag=True, default=None, help="Draw --top instead of ranking.")
@click.option("--no-baseline", is_flag=True, help="Write no random set of the same size.")
@click.option("--seed", type=int, help="[default: 17]")
@click.option("--data", help="Where the set lies now, if it has moved.")
@click.option("--to", help="The folder.  [default: a new run]")
@click.option(
    "--ending", default=".jsonl", show_default=True, help="The kind of file: .parquet, .json, .csv."
)
@click.option("--format-to", metavar="FORMAT", help="Write the records in another format.")
@json_option
def select(
    scores: str,
    no_baseline: bool,
    data: str | None,
    to: str | None,
    ending: str,
    format_to: str | None,
    as_json: bool,
    **choice: Any,
) -> None:
    """Choose from the set that SCORES are of: a run, a folder, scores.jsonl, or latest.

    Writes the chosen records, the rejected ones with the reason of each, as many drawn at random
    to compare with, and a card.
    """
    from tuneval.scoring.scores import find_scores
    from tuneval.scoring.select import Form, select_file
    from tuneval.scoring.selection.config import config_from

    config = config_from(random_baseline=not no_baseline, **choice)
    with progress() as report:
        done = select_file(
            config,
            find_scores(scores),
            to=to,
            data=data,
            form=Form(ending, format_to),
            command=shlex.join(["tuneval", *sys.argv[1:]]),
            report=report,
        )
    answer(as_json, {"folder": str(done.folder), **done.account}, _show)


def _show(content: dict[str, Any]) -> None:
    from tuneval.scoring.selection.card import reasons_text

    rows = [
        [stage["name"], stage["left"], reasons_text(stage["rejected"])]
        for stage in content["funnel"]
    ]
    table(["stage", "left", "left out, and why"], rows)
    if content["strata"]:
        click.echo()
        shown = list(content["strata"].items())[:_SHOWN]
        table(
            [content["config"]["quota"], "in the set", "after the filters", "chosen", "random"],
            [[name, *(row[key] for key in _COLUMNS)] for name, row in shown],
        )
        if len(content["strata"]) > _SHOWN:
            click.echo(f"… and {len(content['strata']) - _SHOWN} more (--json shows all)")
    click.echo()
    for name, file in content["files"].items():
        click.echo(f"{content['folder']}/{name}  {file['records']:,} records")
    click.echo(f"{content['folder']}/card.md  what was chosen, and how the measures changed")


_COLUMNS = ("offered", "eligible", "chosen", "random")
