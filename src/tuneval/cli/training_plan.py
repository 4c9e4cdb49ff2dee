"""What trainings will need, as `tuneval train --plan` and `tuneval plan --memory` show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from tuneval.cli.console import fields, progress, table

if TYPE_CHECKING:
    from tuneval.recipes.plan import Plan
    from tuneval.training.planning import TrainingPlan

PARTS = ("weights", "gradients", "optimizer", "activations", "libraries", "total")


def plans_of_trainings(plan: Plan) -> dict[str, TrainingPlan]:
    """The plan of each training of a recipe, by the name of its step."""
    from tuneval.recipes.trainings import plan_trainings

    with progress() as report:
        return plan_trainings(plan, report=report)


def trainings_as_dict(trainings: Mapping[str, TrainingPlan]) -> dict[str, Any]:
    """For JSON."""
    return {name: training.as_dict() for name, training in trainings.items()}


def show_trainings(trainings: Mapping[str, TrainingPlan]) -> None:
    """Each training's size, its memory by parts, whether that is there, and what needs less."""
    for name, training in trainings.items():
        click.echo(f"\n{name}")
        _show(training)


def _show(training: TrainingPlan) -> None:
    trained, total = training.trainable_parameters, training.total_parameters
    fields(
        {
            "method": training.method,
            "parameters": f"{trained:,} trained of {total:,} ({trained / total:.2%})",
            "examples": f"{training.examples:,} in {training.rows:,} rows",
            "steps": f"{training.steps:,} of {training.tokens_per_step:,.0f} tokens",
            "operations": f"{training.flops:.2g} floating-point",
            "longest pass": f"{training.longest_micro_batch:,} tokens",
        },
        indent=2,
    )
    memory = training.memory.as_dict()
    table(["memory", "MiB"], [[part, round(memory[part] / 2**20)] for part in PARTS])
    available = training.available_bytes
    if available is None:
        click.echo(f"How much memory is free on this {training.device} is not known.")
        return
    free = f"{available / 2**20:,.0f} MiB are free on this {training.device}"
    click.echo(f"It fits: {free}." if training.fits else f"It does not fit: {free}.")
    if training.fits:
        return
    rows: list[list[object]] = [
        [change.words, round(change.memory.total / 2**20), "yes" if training.helps(change) else ""]
        for change in training.changes
    ]
    if rows:
        table(["with --set", "MiB", "fits"], rows)
    else:
        click.echo("No other setting needs less; take a smaller model, or a larger machine.")
