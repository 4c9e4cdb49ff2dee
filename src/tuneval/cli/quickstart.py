"""`tuneval quickstart`: the shipped experiment, start to end, without a hub."""

from __future__ import annotations

import click

from tuneval.cli.console import json_option
from tuneval.cli.recipe import carry_out, fresh_option, set_option


@click.command()
@set_option
@fresh_option
@json_option
def quickstart(overrides: tuple[str, ...], fresh: bool, as_json: bool) -> None:
    """Fine-tune SmolLM2-135M on shipped support tickets and show, item by item, what changed.

    Needs no network and no GPU; about ten minutes on two CPU cores. Run again, it ends in seconds.
    """
    from tuneval.files import shipped
    from tuneval.recipes.load import load_recipe

    recipe = load_recipe(shipped("recipes/quickstart.yaml"), overrides=overrides)
    carry_out(recipe, fresh=fresh, as_json=as_json)
