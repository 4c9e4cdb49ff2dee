"""`tuneval data diff`: what became of a set from one version to the next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from tuneval.cli.console import answer, json_option
from tuneval.cli.data.counted import counted
from tuneval.cli.data.options import format_option

if TYPE_CHECKING:
    from tuneval.data.difference.facts import Change, Difference, Sighting
    from tuneval.data.difference.fields import FieldChange, Piece

_LONG = 60
_HOW = {
    "key": "the same key",
    "content": "the same content",
    "prompt": "the same prompt",
    "question": "the same question, another system turn",
}


@click.command()
@click.argument("old")
@click.argument("new")
@click.option("--key", default="id", show_default=True, help="The field that names a record.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="How many records of each kind to show; --json has all of them.",
)
@click.option("--ignore-order", is_flag=True, help="Sets in another order are equal.")
@format_option
@json_option
def diff(
    old: str, new: str, key: str, limit: int, ignore_order: bool, format: str, as_json: bool
) -> int:
    """Compare two versions of a set: records added, removed, changed and moved.

    A record is the same one when its content is, or its key, its prompt, its question, or when
    nearly all of its words are and it is of the same group. The two may be in different formats.

    Exit status: 0 the sets are equal, 1 they differ, 2 wrong use.
    """
    from tuneval.data.diff import diff as compare

    found = compare(old, new, format=format, key=key, limit=None if as_json else limit)
    answer(as_json, found.as_dict(), lambda _: _show(found))
    return found.exit_status(ignore_order=ignore_order)


def _show(found: Difference) -> None:
    click.secho(f"{found.old} ({found.n_old:,}) → {found.new} ({found.n_new:,})", bold=True)
    for change in found.changed:
        _show_change(change)
    _more(found.n_changed, len(found.changed), "changed")
    _show_sightings("added", "+", "green", found.added)
    _more(found.n_added, len(found.added), "added")
    _show_sightings("removed", "-", "red", found.removed)
    _more(found.n_removed, len(found.removed), "removed")
    for move in found.moved:
        click.echo(f"moved  {move.old_where} → {move.new_where}")
    _more(found.n_moved, len(found.moved), "moved")
    if found.n_not_compared:
        click.echo(f"{counted(found.n_not_compared, 'record')} not looked at for near ones: many")
    click.echo(
        f"{found.n_unchanged:,} unchanged, {found.n_changed:,} changed, {found.n_added:,} added, "
        f"{found.n_removed:,} removed, {found.n_moved:,} moved"
    )


def _show_change(change: Change) -> None:
    how = _HOW.get(change.how) or f"similarity {change.similarity:.2f}"
    click.secho(f"changed  {change.old_where} → {change.new_where}  ({how})", fg="yellow")
    for field in change.fields:
        click.echo(f"  {field.path}: {_inline(field)}")


def _show_sightings(word: str, mark: str, colour: str, sightings: Iterable[Sighting]) -> None:
    from tuneval.data.said import one_line

    for sighting in sightings:
        click.secho(f"{word}  {sighting.where}", fg=colour)
        click.echo(f"  {mark} {one_line(sighting.item, 160)}")


def _more(total: int, shown: int, word: str) -> None:
    if total > shown:
        click.echo(f"… and {total - shown:,} more {word} (--limit shows more, --json all)")


def _inline(field: FieldChange) -> str:
    """The field's words as one line, `[-old-]` and `{+new+}` where they differ."""
    from tuneval.data.difference.fields import word_pieces

    return "".join(map(_marked, word_pieces(field.old or "", field.new or "")))


def _marked(piece: Piece) -> str:
    text = piece.text.replace("\n", "⏎")
    if piece.kind == "both":
        return text if len(text) <= _LONG else f"{text[: _LONG // 2]} … {text[-_LONG // 2 :]}"
    text = text if len(text) <= 4 * _LONG else f"{text[: 4 * _LONG]}…"
    if piece.kind == "old":
        return click.style(f"[-{text}-]", fg="red")
    return click.style(f"{{+{text}+}}", fg="green")
