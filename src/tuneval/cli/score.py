"""`tuneval score`: how good each example is for training."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from tuneval.cli.console import answer, json_option, progress, table


@click.command()
@click.argument("file")
@click.option("--model", help="bundled:…, a folder, a hub id, a GGUF file or run:ID.")
@click.option("--adapter", help="A peft adapter's folder, put onto the model.")
@click.option("--measure", "measures", multiple=True, help="A measure; may stand often.")
@click.option("--format", "format_", default="auto", show_default=True, help="The set's format.")
@click.option("--task", help="The field that names a record's task.  [default: clusters]")
@click.option("--clusters", type=click.IntRange(min=1), help="How many clusters stand for tasks.")
@click.option("--embeddings", help="auto, a sentence encoder, or model:REF.")
@click.option("--prompts", help="instruction, demonstration, chat or a YAML file of prompts.")
@click.option("--ratio", type=click.Choice(["perplexity", "loss"]), help="IFD as a ratio of these.")
@click.option(
    "--unconditional",
    type=click.Choice(["auto", "nothing", "bos", "header"]),
    help="What stands before a text that is measured alone.",
)
@click.option("--reduction", type=click.Choice(["mean", "sum"]), help="Per token, or in all.")
@click.option("--one-shot", type=click.Choice(["sign", "raw"]), help="What is averaged over peers.")
@click.option("--shots", type=click.IntRange(min=1), help="Peers for each example.")
@click.option("--max-length", type=click.IntRange(min=16), help="Tokens of the longest sequence.")
@click.option("--precision", type=click.Choice(["float32", "bfloat16", "float16", "float64"]))
@click.option("--token-budget", type=click.IntRange(min=1), help="Tokens of one forward pass.")
@click.option("--device", default="auto", show_default=True)
@click.option("--engine", type=click.Choice(["torch", "vllm"]), help="What runs the model.")
@click.option("--workers", help="ray, host:port or ray://host:port: a Ray cluster.")
@click.option("--n-workers", type=click.IntRange(min=1), help="How many of them.")
@click.option("--limit", type=click.IntRange(min=1), help="Only so many examples, from the top.")
@click.option("--seed", type=int)
@click.option("--name", default="score", show_default=True, help="A name for the run.")
@click.option("--to", type=click.Path(file_okay=False), help="The folder.  [default: a new run]")
@json_option
def score(
    file: str,
    model: str | None,
    adapter: str | None,
    measures: tuple[str, ...],
    format_: str,
    device: str,
    workers: str | None,
    n_workers: int | None,
    limit: int | None,
    name: str,
    to: str | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Score every example of FILE; run again, it goes on where it stopped.

    Without --measure: prompt and response perplexity, instruction-following difficulty (IFD), its
    reverse, and one-shot validity. `tuneval select` chooses by the scores.
    """
    from tuneval.scoring.config import config_from
    from tuneval.scoring.score import Meter
    from tuneval.scoring.score_file import ToScore, score_file

    config = config_from(measures=measures or None, **settings)
    by = Meter(model=model, adapter=adapter, device=device, workers=workers, n_workers=n_workers)
    to_score = ToScore(file=file, by=by, format=format_, limit=limit, name=name)
    command = " ".join(["tuneval", *sys.argv[1:]])
    with progress() as report:
        scores = score_file(
            config, to_score, folder=Path(to) if to else None, command=command, report=report
        )
    answer(as_json, {"folder": str(scores.folder), **scores.card}, _show)


def _show(content: dict[str, Any]) -> None:
    from tuneval.scoring.scores import Scores

    scores = Scores.load(content["folder"])
    rows = []
    for name, account in content["measures"].items():
        values = sorted(v for row in scores.rows if (v := row.scores[name]) is not None)
        places = [values[int(q * (len(values) - 1))] for q in (0.1, 0.5, 0.9)] if values else []
        remarks = [f"{count} not scored: {code}" for code, count in account["unscored"].items()]
        if account["truncated"]:
            remarks.append(f"{account['truncated']} cut")
        rows.append([name, account["scored"], *(f"{v:.4g}" for v in places), "; ".join(remarks)])
    rows = [row if len(row) == 6 else [*row[:2], "–", "–", "–", row[-1]] for row in rows]
    table(["measure", "examples", "10%", "median", "90%", ""], rows)
    click.echo(f"folder: {content['folder']}")
    click.echo(f"next:   tuneval select {content['folder']} --keep 'ifd<1' --by ifd --top 20%")
