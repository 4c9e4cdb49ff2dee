"""`tuneval evaluate lm-eval`: lm-evaluation-harness's own tasks, asked of our models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tuneval.cli.console import answer, json_option, progress
from tuneval.cli.evaluations import show_one


@click.command(name="lm-eval")
@click.argument("tasks", nargs=-1, required=True, metavar="TASK…")
@click.option("--model", required=True, help="As for `tuneval evaluate`.")
@click.option("--adapter", help="A peft adapter's folder, put onto the model.")
@click.option(
    "--to", required=True, type=click.Path(file_okay=False), help="The folder for everything."
)
@click.option("--limit", type=click.IntRange(min=1), help="So many documents of each task.")
@click.option("--shots", type=click.IntRange(min=0), help="Demonstrations.  [default: the task's]")
@click.option("--chat", is_flag=True, help="Ask through the model's own chat template.")
@click.option("--include", type=click.Path(file_okay=False), help="A folder with tasks as YAML.")
@click.option("--precision", help="float32, bfloat16, float16 or float64.  [default: float32]")
@click.option("--token-budget", type=click.IntRange(min=1), help="Tokens in a forward pass.")
@click.option("--seed", type=int, help="For sampled answers.  [default: 17]")
@json_option
def lm_eval(
    tasks: tuple[str, ...], to: str, include: str | None, as_json: bool, **asked: Any
) -> None:
    """Ask lm-evaluation-harness's own tasks with tuneval's engine as its model.

    Its files go to FOLDER/lm-eval, what `tuneval compare` takes to FOLDER/MODEL/TASK. A killed
    command goes on where it stopped.
    """
    from tuneval.evaluation.lm_eval.run import LmEvalConfig, run_lm_eval

    given = {name: value for name, value in asked.items() if value is not None}
    config = LmEvalConfig(tasks=tasks, include=None if include is None else Path(include), **given)
    with progress() as report:
        done = run_lm_eval(config, folder=Path(to), report=report)
    show_imported(done, as_json)


def show_imported(done: Any, as_json: bool) -> None:
    """Every imported evaluation, with its metrics and notes."""
    content = {"evaluations": [{"folder": str(one.folder), **one.result.as_dict()} for one in done]}
    answer(as_json, content, _show)


def _show(content: dict[str, Any]) -> None:
    for evaluation in content["evaluations"]:
        click.echo(f"\n{evaluation['name']}: {evaluation['n_items']} items")
        show_one(evaluation)
        for note in evaluation["notes"]:
            click.echo(note)
