"""`tuneval evaluate`: measure a model on a file of held-out examples."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from tuneval.cli.console import answer, json_option, progress, table


@click.command()
@click.argument("file")
@click.option(
    "--model", required=True, help="bundled:…, a folder, a hub id, a GGUF file or run:ID."
)
@click.option("--adapter", help="A peft adapter's folder, put onto the model.")
@click.option("--name", default="evaluation", show_default=True, help="A name for the evaluation.")
@click.option("--to", type=click.Path(file_okay=False), help="The folder.  [default: a new run]")
@click.option("--limit", type=click.IntRange(min=1), help="Only so many examples, from the top.")
@click.option("--metric", "metrics", multiple=True, help="A metric of answers; may stand often.")
@click.option(
    "--json-field", "json_fields", multiple=True, help="Grade this field of JSON answers."
)
@click.option(
    "--generate/--no-generate",
    default=True,
    help="Let the model answer, or only measure the likelihood of the true answers.",
)
@click.option("--max-new-tokens", type=click.IntRange(min=1), default=64, show_default=True)
@click.option("--max-length", type=int, help="Tokens of a prompt with its response at most.")
@click.option("--temperature", type=float, help="Draw the answers; 0 is greedy.  [default: 0]")
@click.option("--top-p", type=float, help="Draw from the likeliest tokens of this probability.")
@click.option("--seed", type=int, help="For draws and resampling.  [default: 17]")
@click.option("--template", default="auto", show_default=True, help="The chat template.")
@json_option
def evaluate(
    file: str,
    model: str,
    adapter: str | None,
    name: str,
    to: str | None,
    limit: int | None,
    metrics: tuple[str, ...],
    json_fields: tuple[str, ...],
    generate: bool,
    max_new_tokens: int,
    max_length: int | None,
    temperature: float | None,
    top_p: float | None,
    seed: int | None,
    template: str,
    as_json: bool,
) -> None:
    """Measure a model on the examples of FILE; run again, it goes on where it stopped.

    The true answers are scored token by token, then the model answers by itself and is graded.
    """
    from tuneval.evaluation.config import config_from
    from tuneval.evaluation.own_file import OwnFile, evaluate_file

    config = config_from(
        metrics=metrics or None,
        json_fields=json_fields,
        generate=generate,
        max_new_tokens=max_new_tokens,
        max_length=max_length,
        temperature=temperature,
        top_p=top_p,
        seed=seed,
    )
    task = OwnFile(
        file=file, model=model, adapter=adapter, name=name, template=template, limit=limit
    )
    command = " ".join(["tuneval", *sys.argv[1:]])
    with progress() as report:
        done = evaluate_file(
            config, task, folder=Path(to) if to else None, command=command, report=report
        )
    answer(as_json, {"folder": str(done.folder), **done.result.as_dict()}, _show)


def _show(content: dict[str, Any]) -> None:
    from tuneval.evaluation.metrics.likelihood import WHOLE_SEQUENCE
    from tuneval.evaluation.report.names import reading_order
    from tuneval.evaluation.report.numbers import estimate_text, sample_text
    from tuneval.evaluation.result import MetricResult

    rows = []
    for name in sorted(content["metrics"], key=reading_order):
        found = MetricResult.from_dict(content["metrics"][name])
        remarks = [f"{count} not scored: {why}" for why, count in found.unscored.items()]
        if name == WHOLE_SEQUENCE:
            remarks.append("counts the prompt too: a common mistake, shown to be known")
        value, sample = ("–", "")
        if found.estimate is not None:
            value, sample = estimate_text(found.estimate), sample_text(found.estimate)
        rows.append([name, value, sample, "; ".join(remarks)])
    table(["metric", "value, 95% interval", "sample", ""], rows)
    counts = content["counts"]
    click.echo(
        f"response tokens counted two ways: equal on {counts['alignment_agrees']} "
        f"of {counts['teacher_forced']} items"
    )
    click.echo(f"folder: {content['folder']}")
