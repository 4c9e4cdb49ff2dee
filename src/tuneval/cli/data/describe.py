"""`tuneval data describe`: a set in numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuneval.cli.console import answer, fields, json_option, progress, table, warn
from tuneval.cli.data.counted import counted
from tuneval.cli.data.options import format_option
from tuneval.data.description.words import KIND_NAMES, LANGUAGE_NAMES

if TYPE_CHECKING:
    from tuneval.data.description.facts import Description, Sight, Tokens
    from tuneval.data.description.lengths import Spread
    from tuneval.data.description.value_counts import ValueCounts

_SHOWN = 10
_MOST_PARTS = 30


@click.command()
@click.argument("file", metavar="SET")
@click.option("--model", help="Count tokens as this model has them, and what it would learn.")
@click.option("--template", default="auto", show_default=True, help="The chat template.")
@click.option("--by", metavar="TAG", help="Describe the parts that a tag or label makes, too.")
@click.option("--html", type=click.Path(dir_okay=False), help="Write a page with charts as well.")
@format_option
@json_option
def describe(
    file: str,
    model: str | None,
    template: str,
    by: str | None,
    html: str | None,
    format: str,
    as_json: bool,
) -> None:
    """Say what is in SET: how much, how long, in which languages, with which labels and tags.

    Records that cannot be read are counted and left out; `tuneval data check` says why. --by
    takes a tag, label (the answer), label.FIELD (of a JSON answer), group or file.
    """
    if html is not None:
        from tuneval.data.cutting.kept import refuse_inside

        refuse_inside(file, [Path(html)])
    found = _described(file, model, template, by, format)
    if html is not None:
        from tuneval import files
        from tuneval.data.description.page import page

        files.write_text(html, page(found))
    answer(as_json, found.as_dict(), lambda _: _show(found))
    if html is not None and not as_json:
        click.echo(f"\nwritten: {html}")


def _described(
    file: str, model: str | None, template: str, by: str | None, format: str
) -> Description:
    from tuneval.data.describe import describe as describe_set
    from tuneval.runs.events import Finished, Step

    with progress() as report:
        counter = None
        if model is not None:
            from tuneval.cli.data.counting import token_counter

            counter = token_counter(model, template, report)
        n_seen = 0

        def seen(n: int) -> None:
            nonlocal n_seen
            n_seen = n
            if n:
                report(Step("reading", n))

        found = describe_set(file, format, counter=counter, by=by, seen=seen)
        if n_seen:
            report(Finished("reading"))
    return found


def _show(found: Description) -> None:
    click.secho(f"{found.location}: read as {found.format} ({found.format_reason})", bold=True)
    fields(_overview(found))
    click.echo()
    _show_lengths(found)
    _show_languages(found.languages)
    if found.tokens:
        _show_tokens(found.tokens)
    for counts in found.labels:
        _show_counts(counts.name, counts)
    for counts in found.tags:
        _show_counts(f"tag {counts.name}", counts)
    if found.by:
        _show_parts(found)
    click.echo()
    for word, sights in (("shortest", found.shortest), ("longest", found.longest)):
        _show_sights(word, sights, found.unit)
    if reasons := found.unusable.reasons:
        n = counted(found.unusable.n, "record") if found.unusable.n else "a part of the set"
        warn(f"{n} cannot be read and is left out: {reasons[0]}")


def _overview(found: Description) -> dict[str, object]:
    groups = found.groups
    rows: dict[str, object] = {
        "records": ", ".join(f"{n:,} {KIND_NAMES[kind].en}" for kind, n in found.kinds.items()),
        "copies": f"{found.n_repeats:,} repeat an earlier record; {found.n_reasked:,} ask what an "
        "earlier one asks and answer otherwise",
        "groups": f"{groups.n:,}, the largest of {groups.largest}; {groups.n_ungrouped:,} records "
        "without one"
        if groups.n
        else "none",
    }
    if len(found.files.counts) > 1:
        rows["files"] = _listed(found.files)
    if found.n_with_tools or found.n_tool_calls:
        with_tools = counted(found.n_with_tools, "record")
        rows["tools"] = f"{with_tools} with tools; {counted(found.n_tool_calls, 'call')}"
    return rows


def _show_lengths(found: Description) -> None:
    rows: list[list[object]] = []

    def add(name: str, spread: Spread | None) -> None:
        if spread is None:
            return
        sampled = f" (quantiles of {spread.n_sampled:,})" if spread.n_sampled else ""
        quantiles = [spread.median, spread.p90, spread.p95, spread.p99, spread.max, spread.total]
        rows.append([name + sampled, spread.n, f"{spread.mean:.1f}", *quantiles])

    if found.tokens:
        add("record, tokens", found.lengths)
    add("record, characters", found.characters)
    add("record, words", found.words)
    add("record, turns", found.turns)
    for role in found.roles:
        add(f"{role.role}, {found.unit}", role.lengths)
    table(["", "n", "mean", "median", "p90", "p95", "p99", "max", "total"], rows)


def _show_languages(languages: Mapping[str, Mapping[str, int]]) -> None:
    names = dict.fromkeys(name for counts in languages.values() for name in counts)
    rows = [
        [LANGUAGE_NAMES[name].en, *(_count(counts, name) for counts in languages.values())]
        for name in LANGUAGE_NAMES
        if name in names
    ]
    click.echo()
    table(["language", *languages], rows)


def _show_tokens(tokens: Tokens) -> None:
    trained = f" ({tokens.trained_share:.1%})" if tokens.trained_share is not None else ""
    click.echo()
    click.echo(
        f"{tokens.model}: {tokens.total:,} tokens, {tokens.trained:,} of them carry loss{trained}"
    )
    table(
        ["records longer than", *map(str, tokens.longer_than)],
        [["", *tokens.longer_than.values()]],
    )
    if tokens.n_uncounted:
        warn(f"{counted(tokens.n_uncounted, 'record')} without a count: {tokens.first_uncounted}")


def _show_counts(name: str, counts: ValueCounts) -> None:
    click.echo()
    click.secho(f"{name}, n={counts.n:,}", bold=True)
    click.echo(f"  {_listed(counts)}")


def _listed(counts: ValueCounts) -> str:
    if counts.n_different is None:
        return "too many different ones to list"
    shown = [f"{value} {n:,} ({n / counts.n:.1%})" for value, n in counts.counts[:_SHOWN]]
    if counts.n_different > _SHOWN:
        shown.append(f"… and {counts.n_different - _SHOWN:,} more")
    return ", ".join(shown)


def _show_parts(found: Description) -> None:
    rows: list[list[object]] = []
    for part in found.parts[:_MOST_PARTS]:
        spread = part.lengths
        numbers = [spread.median, spread.p95, spread.max] if spread else ["–"] * 3
        spoken = ", ".join(
            f"{LANGUAGE_NAMES[name].en} {n / part.n_records:.0%}"
            for name, n in sorted(part.languages.items(), key=lambda row: -row[1])[:2]
        )
        share = f"{part.share:.1%}"
        rows.append([part.value, part.n_records, share, *numbers, f"{part.mean_turns:.1f}", spoken])
    click.echo()
    heads = ["median", "p95", "max", "turns", "language of the response"]
    table([found.by or "", "records", "share", *heads], rows)
    if len(found.parts) > _MOST_PARTS:
        click.echo(f"… and {len(found.parts) - _MOST_PARTS:,} more (--json shows all)")


def _show_sights(word: str, sights: Iterable[Sight], unit: str) -> None:
    for sight in sights:
        click.secho(f"{word}  {sight.where}  {sight.length:,} {unit}", bold=True)
        click.echo(f"  {sight.says}")


def _count(counts: Mapping[str, int], name: str) -> str:
    n, total = counts.get(name, 0), sum(counts.values())
    return f"{n:,} ({n / total:.1%})" if n else "–"
