"""Do what a translation says, and lay the files in its output folder.

Every part goes on where an earlier start was stopped: the same flags, the same runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.data.cutting.mixture import Ingredient, Mixture
from tuneval.data.mix import mix
from tuneval.evaluation.own_file import OwnFile, evaluate_file
from tuneval.recipes.llamafactory.outputs import claim, lay_evaluation, lay_training
from tuneval.recipes.llamafactory.translation import HELD_OUT, Evaluation, Joined, Translation
from tuneval.recipes.load import recipe_from
from tuneval.recipes.plan import plan_recipe
from tuneval.recipes.run import StepOutcome, run_recipe
from tuneval.runs.events import Report, ignore


@dataclass(frozen=True, slots=True)
class Done:
    """The folder with the files, and the folders of the runs and evaluations behind them."""

    output_dir: Path
    run: Path | None
    evaluations: tuple[Path, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "output_dir": str(self.output_dir),
            "run": None if self.run is None else str(self.run),
            "evaluations": [str(folder) for folder in self.evaluations],
            "files": sorted(p.name for p in self.output_dir.iterdir() if p.name[0] != "."),
        }


def carry_out(
    translation: Translation,
    *,
    root: Path,
    fresh: bool = False,
    command: str | None = None,
    report: Report = ignore,
    on_step: Callable[[StepOutcome], None] | None = None,
) -> Done:
    """Join, train, evaluate and export as the translation says.

    `root` is the folder of all runs. UsageError when the output folder holds other files.
    """
    folder = translation.output_dir
    if translation.recipe is not None:
        joined_names = {Path(joined.file).name for joined in translation.joined}
        claim(folder, _key(translation), overwrite=translation.overwrite, joined=joined_names)
    for joined in translation.joined:
        _join(joined)
    run = None
    if translation.recipe is not None:
        plan = plan_recipe(recipe_from(translation.recipe), root=root, fresh=fresh)
        run = run_recipe(plan, root=root, report=report, on_step=on_step).run.folder
        lay_training(run, folder)
    done = []
    if run is not None and translation.held_out:
        done.append(run / "evaluation" / HELD_OUT)
        lay_evaluation(done[-1], folder, translation.held_out, accuracy=translation.accuracy)
    for evaluation in translation.evaluations:
        done.append(_evaluate(evaluation, run, root=root, command=command, report=report))
        lay_evaluation(done[-1], folder, evaluation.results, accuracy=translation.accuracy)
    _export(translation, report)
    return Done(folder, run, tuple(done))


def _key(translation: Translation) -> str:
    """Names the training, so that its folder is known again."""
    return files.sha256_json([translation.recipe, translation.commands["before"]])


def _join(joined: Joined) -> None:
    ingredients = [Ingredient(location, weight) for location, weight in joined.sets]
    mixture = Mixture(ingredients=ingredients, strategy=joined.strategy, seed=joined.seed)
    mix(mixture, joined.file, tag=None)


def _evaluate(
    evaluation: Evaluation, run: Path | None, *, root: Path, command: str | None, report: Report
) -> Path:
    """In the run that trained the model, or in one of its own, named by the weights.

    An output folder is used again for other weights, and their answers are not to be mixed.
    """
    from tuneval.models.load import model_hash

    name = evaluation.name
    if run is None:
        name += f"-{model_hash(evaluation.model, adapter=evaluation.adapter)[:8]}"
    task = OwnFile(
        file=evaluation.file,
        model=evaluation.model,
        adapter=evaluation.adapter,
        name=name,
        template=evaluation.template,
        limit=evaluation.limit,
    )
    return evaluate_file(
        evaluation.config,
        task,
        folder=None if run is None else run / "evaluation" / name,
        root=root,
        command=command,
        report=report,
    ).folder


def _export(translation: Translation, report: Report) -> None:
    asked = translation.export
    if asked is None:
        return
    from tuneval.exporting.config import ExportConfig
    from tuneval.exporting.export import export

    export(
        ExportConfig(shard_size=asked.shard_size, existing="replace"),
        source=asked.model,
        adapter=asked.adapter,
        to=Path(asked.to),
        report=report,
    )
