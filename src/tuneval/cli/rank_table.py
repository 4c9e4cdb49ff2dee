"""How one order over several metrics looks in a terminal."""

from __future__ import annotations

from typing import Any

import click

from tuneval.cli.console import table


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
