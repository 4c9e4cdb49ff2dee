"""`tuneval run` and `tuneval plan`: carry out an experiment, or show what it would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from tuneval.cli.console import answer, json_option, progress, table
from tuneval.cli.data.show import draw
from tuneval.cli.training_plan import plans_of_trainings, show_trainings, trainings_as_dict

if TYPE_CHECKING:
    from tuneval.evaluation.comparing.ablation import AblationRow
    from tuneval.recipes.plan import Plan
    from tuneval.recipes.recipe import Recipe
    from tuneval.recipes.run import Outcome, StepOutcome

set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="A.B=VALUE",
    help="Change a field; a step goes by its name, all of a kind by it: steps.train.seed=4.",
)
fresh_option = click.option(
    "--fresh", is_flag=True, help="Begin a new run; use nothing done before."
)


@click.command()
@click.argument("recipe")
@set_option
@fresh_option
@json_option
def run(recipe: str, overrides: tuple[str, ...], fresh: bool, as_json: bool) -> None:
    """Run the experiment in the YAML file RECIPE; run again, it goes on where it stopped."""
    from tuneval.recipes.load import load_recipe

    carry_out(load_recipe(recipe, overrides=overrides), fresh=fresh, as_json=as_json)


@click.command()
@click.argument("recipe")
@set_option
@click.option("--memory", is_flag=True, help="Also say what its trainings need; takes a while.")
@json_option
def plan(recipe: str, overrides: tuple[str, ...], memory: bool, as_json: bool) -> None:
    """Show the steps of the YAML file RECIPE, and which are done already."""
    from tuneval.recipes.load import load_recipe
    from tuneval.recipes.plan import plan_recipe
    from tuneval.runs.find import runs_root

    planned = plan_recipe(load_recipe(recipe, overrides=overrides), root=runs_root())
    if not memory:
        answer(as_json, planned.as_dict(), lambda _: _show_plan(planned))
        return
    trainings = plans_of_trainings(planned)
    content = planned.as_dict() | {"trainings": trainings_as_dict(trainings)}

    def show(_: object) -> None:
        _show_plan(planned)
        show_trainings(trainings)

    answer(as_json, content, show)


def carry_out(recipe: Recipe, *, fresh: bool, as_json: bool) -> None:
    """Run a recipe with bars and tables on the way, and answer with what it came to."""
    from tuneval.recipes.plan import plan_recipe
    from tuneval.recipes.run import run_recipe
    from tuneval.runs.find import runs_root

    root = runs_root()
    planned = plan_recipe(recipe, root=root, fresh=fresh)
    with progress() as report:
        outcome = run_recipe(planned, root=root, report=report, on_step=None if as_json else tell)
    answer(as_json, outcome.as_dict(), lambda _: _show_outcome(outcome, planned.recipe))


def _show_plan(planned: Plan) -> None:
    table(
        ["step", "kind", "state"],
        [[s.step.name, s.step.kind, "done" if s.done else "to run"] for s in planned.steps],
    )
    click.echo(f"data: {planned.data_file}")
    click.echo(f"run:  {planned.run.folder if planned.run else 'a new one'}")


def tell(outcome: StepOutcome) -> None:
    """A few words on a step as it ends."""
    state = " (done before)" if outcome.cached else ""
    result = outcome.result
    match outcome.kind:
        case "check":
            click.echo(
                f"data: {result['records']} records, {result['findings']} findings; "
                f"{result['train']} to train on, {result['held_out']} held out{state}"
            )
        case "show" if not outcome.cached:
            for example in result["examples"]:
                draw(example["where"], example["tokens"])
        case "score":
            measures = ", ".join(f"{name} {n}" for name, n in result["scored"].items())
            click.echo(f"{_did('scored', outcome)}: {measures} of {result['examples']}{state}")
        case "select":
            click.echo(
                f"{_did('selected', outcome)}: {result['chosen']} of {result['offered']} "
                f"examples{state}"
            )
        case "train":
            click.echo(
                f"{_did('trained', outcome)}: {result['kind']}, "
                f"{result['trainable_parameters']:,} of {result['total_parameters']:,} parameters, "
                f"{result['steps']} steps, loss {result['train_loss']:.3f}, {_probed(result)}"
                f"{result['tokens_per_second']:.0f} tokens/s{state}"
            )
        case "evaluate":
            click.echo(f"evaluated: {outcome.name}{state}")


def _probed(result: Mapping[str, Any]) -> str:
    """What the probe of a training came to, if it had one."""
    probe = result["held_out"]
    if probe is None:
        return ""
    early = f" (stopped early at {probe['last_step']})" if probe["stopped_early"] else ""
    return f"held-out loss {probe['loss']:.3f} with the weights of step {probe['step']}{early}, "


def _did(verb: str, outcome: StepOutcome) -> str:
    """`trained`, or `trained NAME` where the step has a name of its own."""
    return verb if outcome.name == outcome.kind else f"{verb} {outcome.name}"


def _show_outcome(outcome: Outcome, recipe: Recipe) -> None:
    from tuneval.cli.comparisons import show_table
    from tuneval.evaluation.comparing.compare import Comparison
    from tuneval.evaluation.comparing.family import holm_over
    from tuneval.recipes.ablation import ablation_rows

    found = {
        step.name: Comparison.from_dict(step.result)
        for step in outcome.steps
        if step.kind == "compare"
    }
    cells = ablation_rows(recipe, found)
    if cells:
        _show_ablation(cells)
    in_table = {row.sides for row in cells}
    for comparison in holm_over(found).values():
        if (comparison.a, comparison.b) not in in_table:
            show_table(comparison)
    if len(found) > 1:
        click.echo(f"p is adjusted for all differences of the {len(found)} comparisons (Holm)")
    for step in outcome.steps:
        if step.kind == "report":
            click.echo(f"report: {outcome.run.path(step.result['html'])}")
    click.echo(f"run:    {outcome.run.folder}")


def _show_ablation(rows: Sequence[AblationRow]) -> None:
    """Every cell of the matrix beside the baseline, in one table."""
    from tuneval.cli.comparisons import row_name
    from tuneval.evaluation.report.ablation import ablation_table, baseline_said
    from tuneval.pages.text import english

    headings, cells = ablation_table(rows, row_name)
    table([english(h) for h in headings], [[english(cell) for cell in row] for row in cells])
    click.echo(baseline_said(rows).en)
