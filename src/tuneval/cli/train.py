"""`tuneval train`: fine-tune on a file, as a recipe of one step."""

from __future__ import annotations

import click

from tuneval.cli.console import answer, json_option
from tuneval.cli.recipe import carry_out, fresh_option
from tuneval.cli.training_plan import plans_of_trainings, show_trainings, trainings_as_dict

METHODS = "lora, qlora, full, freeze, prefix, prompt, p_tuning, p_tuning_v2, bottleneck or ia3"


@click.command()
@click.argument("file")
@click.option("--model", default="bundled:smollm2-135m", show_default=True, help="The base model.")
@click.option("--method", default="lora", show_default=True, help=f"The tuning method: {METHODS}.")
@click.option("--template", default="auto", show_default=True, help="The chat template.")
@click.option("--name", default="train", show_default=True, help="A name for the run.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="FIELD=VALUE",
    help="A field of the training config: optimizer.learning_rate=1e-4, method.rank=16.",
)
@click.option("--plan", is_flag=True, help="Only say what this needs: memory, steps, operations.")
@fresh_option
@json_option
def train(
    file: str,
    model: str,
    method: str,
    template: str,
    name: str,
    overrides: tuple[str, ...],
    plan: bool,
    fresh: bool,
    as_json: bool,
) -> None:
    """Fine-tune a model on the examples of FILE; run again, it goes on where it stopped."""
    from tuneval.recipes.load import recipe_from
    from tuneval.recipes.plan import plan_recipe
    from tuneval.runs.find import runs_root

    recipe = recipe_from(
        {
            "name": name,
            "model": model,
            "template": template,
            "data": {"file": file, "held_out": 0},
            "steps": [{"kind": "check"}, {"kind": "train", "method": {"kind": method}}],
        },
        overrides=[f"steps.train.{override}" for override in overrides],
    )
    if plan:
        trainings = plans_of_trainings(plan_recipe(recipe, root=runs_root()))
        answer(as_json, trainings_as_dict(trainings), lambda _: show_trainings(trainings))
        return
    carry_out(recipe, fresh=fresh, as_json=as_json)
