"""`tuneval data sets`: the known sets, or the entries of a registry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from tuneval.cli.console import answer, fields, json_option, table


@click.command()
@click.argument("name", required=False)
@click.option("--registry", help="Show the entries of this dataset_info.json instead.")
@json_option
def sets(name: str | None, registry: str | None, as_json: bool) -> None:
    """List the known sets, or say all about the one called NAME.

    A known set is read as hub:NAME, a copy of it as hub:NAME=FILE; an entry of a registry as
    FILE#NAME.
    """
    rows = _known(name) if registry is None else _entries(registry, name)
    if name is not None:
        answer(as_json, rows[0], _show_one)
    else:
        answer(as_json, rows, _show_known if registry is None else _show_entries)


def _known(name: str | None) -> list[dict[str, Any]]:
    from tuneval.data.sets.known import known_set, known_sets

    found = known_sets().values() if name is None else [known_set(name)]
    return [row.as_dict() for row in found]


def _entries(registry: str, name: str | None) -> list[dict[str, Any]]:
    from tuneval.data.dataset_info import load_registry

    found = load_registry(registry)
    if name is not None:
        found.entry(name)
    return [row for row in found.rows() if name in (None, row["name"])]


def _show_known(rows: Sequence[dict[str, Any]]) -> None:
    headers = ("name", "from", "rows", "language", "licence", "format")
    table(
        headers,
        [
            (
                row["name"],
                row["source"],
                row["rows"] if row["rows"] == "unknown" else f"{row['rows']:,}",
                row["language"],
                row["licence"],
                _read_as(row),
            )
            for row in rows
        ],
    )
    click.echo(f"\n{len(rows)} sets; `tuneval data sets NAME` says all about one")


def _show_entries(rows: Sequence[dict[str, Any]]) -> None:
    drawn = [
        (row["name"], row["fault"] or _read_as(row), _where(row) if row["source"] else "–")
        for row in rows
    ]
    table(("name", "format", "from"), drawn)
    n_here = sum(row["is_here"] for row in rows)
    click.echo(f"\n{len(rows)} entries, {n_here} with their file here")


def _where(row: dict[str, Any]) -> str:
    return f"{row['source']}" if row["is_here"] else f"{row['source']} (not here)"


def _read_as(row: dict[str, Any]) -> str:
    media = ", ".join(row["media"])
    return f"{row['format']}, not text ({media})" if media else str(row["format"])


def _show_one(row: dict[str, Any]) -> None:
    entry = row.get("entry") or {}
    inner = {
        key: ", ".join(f"{ours} = {own}" for ours, own in value.items() if own is not None)
        for key, value in entry.items()
        if isinstance(value, dict)
    }
    shown = {key: value for key, value in row.items() if key != "entry" and value not in ("", [])}
    fields(shown | {key: value for key, value in entry.items() if key not in inner} | inner)
