"""`tuneval import`: bring over what another tool is asked to do, or what it found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from tuneval.cli.console import answer, json_option, progress
from tuneval.cli.recipe import fresh_option, tell


@click.group(name="import")
def import_() -> None:
    """Turn another tool's settings into a recipe, or its results into evaluations."""


# What is quoted may begin with `--stage`: click would take it for an option of its own.
@import_.command(context_settings={"ignore_unknown_options": True})
@click.argument("source", metavar="FILE.yaml | 'FLAGS'")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]…")
@click.option("--run", "is_run", is_flag=True, help="Do it, and lay the files in output_dir.")
@fresh_option
@json_option
def llamafactory(
    source: str, overrides: tuple[str, ...], is_run: bool, fresh: bool, as_json: bool
) -> None:
    """Print the recipe that LLaMA-Factory's YAML file comes to, or do it with --run.

    A command in quotes works too: LLaMA-Factory's, or ChatGLM-Efficient-Tuning's flags. What a
    flag changes or does not change here stands in a comment; a flag that cannot be followed is
    an error, and all of them are named.
    """
    from tuneval.recipes.llamafactory.arguments import read_arguments
    from tuneval.recipes.llamafactory.translate import translate

    translation = translate(read_arguments(source, overrides))
    content: dict[str, Any] = translation.as_dict()
    if not is_run:
        answer(as_json, content, lambda _: click.echo(translation.as_yaml(), nl=False))
        return
    from tuneval.recipes.llamafactory.carry_out import carry_out
    from tuneval.runs.find import runs_root

    if not as_json:
        for note in translation.notes:
            click.echo(f"{note.fate}: {note.flag}: {note.said}", err=True)
    with progress() as report:
        done = carry_out(
            translation,
            root=runs_root(),
            fresh=fresh,
            command=" ".join(["tuneval", *sys.argv[1:]]),
            report=report,
            on_step=None if as_json else tell,
        )
    answer(as_json, content | done.as_dict(), _show)


@import_.command(name="lm-eval")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--to", required=True, type=click.Path(file_okay=False), help="Where they go.")
@json_option
def lm_eval(folder: str, to: str, as_json: bool) -> None:
    """Bring over the results in FOLDER, as `lm_eval --output_path FOLDER --log_samples` wrote them.

    Each task of each model becomes an evaluation TO/MODEL/TASK that `tuneval compare` takes.
    """
    from tuneval.cli.lm_eval import show_imported
    from tuneval.evaluation.lm_eval.bring import import_results

    with progress() as report:
        done = import_results(Path(folder), to=Path(to), report=report)
    show_imported(done, as_json)


def _show(content: dict[str, Any]) -> None:
    click.echo(f"files: {', '.join(content['files'])}")
    if content["run"]:
        click.echo(f"run:   {content['run']}")
    for folder in content["evaluations"]:
        click.echo(f"evaluation: {folder}")
    click.echo(f"output_dir: {content['output_dir']}")
