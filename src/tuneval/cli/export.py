"""`tuneval export`: a tuned model as a folder that stands by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuneval.cli.console import answer, json_option, progress, table

if TYPE_CHECKING:
    from tuneval.exporting.export import ExportResult


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--to", required=True, type=click.Path(file_okay=False), help="The new folder.")
@click.option("--adapter", is_flag=True, help="The adapter alone, as peft reads it.")
@click.option("--dtype", help="auto (the base's), float32, bfloat16 or float16.")
@click.option("--shard-size", help="The most that a weight file holds: 500MB, 2GB.  [default: 5GB]")
@click.option("--prompts", help="Examples to compare merged and attached on.  [default: the run's]")
@click.option("--device", help="Where the merge is computed and compared.  [default: cpu]")
@click.option("--replace", is_flag=True, help="Put it in the place of an earlier export.")
@json_option
def export(
    run: str,
    to: str,
    adapter: bool,
    dtype: str | None,
    shard_size: str | None,
    prompts: str | None,
    device: str | None,
    replace: bool,
    as_json: bool,
) -> None:
    """Write the model that RUN trained as a folder for plain transformers, or its adapter alone.

    RUN is a run's id, latest, run:ID:NAME of one of several trainings, or any model. Adapters are
    merged; how far that moves the logits is measured on real texts and kept in export.json.
    """
    from tuneval.config import config_of
    from tuneval.exporting.config import ExportConfig
    from tuneval.exporting.export import export as carry_out

    given = {
        "what": "adapter" if adapter else None,
        "dtype": dtype,
        "shard_size": shard_size,
        "prompts": prompts,
        "device": device,
        "existing": "replace" if replace else None,
    }
    config = config_of(ExportConfig, given, refusal="This cannot be exported so")
    with progress() as report:
        result = carry_out(config, source=run, to=Path(to), report=report)
    content = {"folder": str(result.folder), **result.as_dict()}
    answer(as_json, content, lambda _: _show(result))


def _show(result: ExportResult) -> None:
    from tuneval.pages.numbers import significant

    if result.model is not None:
        named = (
            ("adapter merged, float32", result.model.merged),
            ("against the quantised base", result.model.quantised),
            (f"the files, {result.model.dtype}", result.model.written),
        )
        rows = [
            [
                name,
                significant(found.largest),
                significant(found.largest_logit),
                f"{found.same_choice} of {found.positions}",
            ]
            for name, found in named
            if found is not None
        ]
        table(["difference", "largest", "largest logit", "same likeliest token"], rows)
    size = sum(result.files.values())
    click.echo(f"{len(result.files) + 1} files, {size / 1e6:,.1f} MB: {result.folder}")
