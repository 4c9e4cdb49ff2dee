"""`tuneval metrics`: what can be measured, and when to believe it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from tuneval.cli.console import answer, fields, json_option, table


@click.command()
@click.argument("name", required=False)
@click.option("--family", help="Only this family, such as generation or calibration.")
@json_option
def metrics(name: str | None, family: str | None, as_json: bool) -> None:
    """List the metrics, or say all about one: unit, range, source, when to use it and when not."""
    from tuneval.evaluation.catalogs.metric_pages import metric_rows

    if name is not None:
        (row,) = metric_rows([name])
        answer(as_json, row.as_dict(), _show_one)
        return
    rows = [row.as_dict() for row in metric_rows()]
    if family is not None:
        rows = _of_family(rows, family)
    answer(as_json, rows, _show_all)


def _of_family(rows: Sequence[dict[str, Any]], family: str) -> list[dict[str, Any]]:
    from tuneval.catalog import did_you_mean
    from tuneval.errors import UsageError

    found = [row for row in rows if row["family"] == family]
    if not found:
        known = sorted({row["family"] for row in rows})
        raise UsageError(
            f"There is no family of metrics called '{family}'.", mend=did_you_mean(family, known)
        )
    return found


def _show_all(rows: Sequence[dict[str, Any]]) -> None:
    drawn = [
        (
            row["name"] + (f":<{row['argument']}>" if row["argument"] else ""),
            row["family"],
            row["unit"] or "–",
            _better(row),
            ", ".join(row["needs"]),
            row["meaning"]["en"],
        )
        for row in rows
    ]
    table(("name", "family", "unit", "better", "needs", "what it is"), drawn)
    click.echo(f"\n{len(rows)} metrics; `tuneval metrics NAME` says all about one")


def _show_one(row: dict[str, Any]) -> None:
    least, most = (f"{end:g}".replace("inf", "∞") for end in row["range"])
    shown: dict[str, object] = {
        "name": row["name"],
        "what it is": row["meaning"]["en"],
        "in Chinese": f"{row['title']['zh']}：{row['meaning']['zh']}",
        "family": row["family"],
        "unit": row["unit"] or "–",
        "range": f"{least} to {most}",
        "better": _better(row),
        "needs": ", ".join(row["needs"]),
        "source": row["source"],
        "use it": row["use"],
        "avoid it": row["avoid"],
    }
    if row["argument"]:
        shown["argument"] = f"{row['argument']}, as {row['name']}:{row['example'] or '…'}" + (
            f"; {row['default']} unless given" if row["default"] else ""
        )
    fields(shown)


def _better(row: dict[str, Any]) -> str:
    return {True: "higher", False: "lower", None: "–"}[row["higher_is_better"]]
