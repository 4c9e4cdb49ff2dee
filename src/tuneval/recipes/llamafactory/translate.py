"""The verb: flags in, the equivalent recipe, evaluations and export out."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from tuneval.errors import RecipeError, UsageError
from tuneval.recipes.llamafactory.arguments import Arguments
from tuneval.recipes.llamafactory.asked import Asked
from tuneval.recipes.llamafactory.datasets import Chosen, chosen_set
from tuneval.recipes.llamafactory.dialect import Dialect, dialect_of
from tuneval.recipes.llamafactory.evaluating import (
    evaluate_fields,
    evaluation_of,
    export_of,
    results_of,
    template_of,
    trained_model,
    tuned_model,
)
from tuneval.recipes.llamafactory.training import share_held_out, train_step
from tuneval.recipes.llamafactory.translation import HELD_OUT, Result, Translation
from tuneval.recipes.load import recipe_from

SEED = 42


def translate(arguments: Arguments) -> Translation:
    """What the flags ask for, in tuneval's words.

    Raises RecipeError that names every flag that cannot be followed, UsageError where nothing can
    be made of them. Reads the data only where a number of examples has to become a share, or an
    epoch steps.
    """
    asked, dialect = Asked(arguments.values), dialect_of(arguments)
    if arguments.launcher:
        asked.ignored(
            " ".join(arguments.launcher), "say it in front of tuneval, where it is needed"
        )
    made = _translated(asked, dialect, is_export=arguments.verb == "export")
    asked.account_for_the_rest()
    if asked.faults:
        raise _refusal(asked.faults, arguments.where)
    if made.recipe is not None:
        recipe_from(made.recipe)  # a value out of its bounds is told now
    return replace(made, notes=tuple(dict.fromkeys(asked.notes)))


def _refusal(faults: list[str], where: str) -> RecipeError:
    faults = list(dict.fromkeys(faults))
    count = len(faults)
    return RecipeError(
        f"{count} flag{'s' * (count > 1)} cannot be translated.",
        where=where,
        mend="leave them out, or change them as said",
        faults=faults,
    )


def _translated(asked: Asked, dialect: Dialect, *, is_export: bool) -> Translation:
    trains, results = asked.flag("do_train"), () if is_export else results_of(asked)
    if is_export or (asked.has("export_dir") and not trains and not results):
        export = export_of(asked, dialect)
        return Translation(dialect.name, Path(export.to), overwrite=False, export=export)
    if not trains and not results:
        raise UsageError(
            "The flags ask for nothing that can be done here.",
            mend="add do_train, do_eval, do_predict or export_dir",
        )
    folder = asked.text("output_dir")
    if folder is None:
        raise UsageError("output_dir is missing: where do the files go?")
    frame = Translation(
        dialect=dialect.name,
        output_dir=Path(folder),
        overwrite=asked.flag("overwrite_output_dir"),
        accuracy=asked.flag("compute_accuracy"),
    )
    add = _with_training if trains else _with_evaluation
    return add(frame, asked, dialect, results)


def _with_training(
    frame: Translation, asked: Asked, dialect: Dialect, results: tuple[Result, ...]
) -> Translation:
    """A recipe that trains; evaluations on the held-out side, or after it on a set of their own."""
    _refuse_resume(asked)
    seed, folder = _seed(asked), frame.output_dir
    data = chosen_set(asked, "dataset", output_dir=folder, seed=seed)
    if data is None:
        raise UsageError("dataset is missing: what is to be learnt?")
    other = chosen_set(asked, "eval_dataset", output_dir=folder, seed=seed) if results else None
    share = share_held_out(asked, data) if results and other is None else 0.0
    step = train_step(asked, dialect, data, held_out=share, seed=seed)
    if results and other is None and not share:
        asked.fault(f"do_{results[0]}", "needs eval_dataset, or a val_size to hold out")
    if share and "evaluation" in step:
        asked.changed("val_size", "taken twice: one part is looked at on the way, the other is not")
    steps: list[dict[str, Any]] = [{"kind": "check"}, step]
    if share:
        fields = evaluate_fields(asked, dialect, seed=seed)
        steps.append({"kind": "evaluate", "name": HELD_OUT, "model": "trained", **fields})
    recipe = {
        "name": _name(asked, folder),
        "model": trained_model(asked),
        "template": template_of(asked, dialect),
        "seed": seed,
        "data": _data_section(data, share),
        "steps": steps,
    }
    after = (
        ()
        if other is None
        else (evaluation_of(asked, dialect, other, model=str(folder), adapter=None, seed=seed),)
    )
    joined = tuple(chosen.joined for chosen in (data, other) if chosen and chosen.joined)
    held_out = results if share else ()
    return replace(frame, recipe=recipe, held_out=held_out, joined=joined, evaluations=after)


def _with_evaluation(
    frame: Translation, asked: Asked, dialect: Dialect, results: tuple[Result, ...]
) -> Translation:
    """An evaluation alone. Older versions call its set `dataset`."""
    seed = _seed(asked)
    flag = "eval_dataset" if asked.has("eval_dataset") else "dataset"
    data = chosen_set(asked, flag, output_dir=frame.output_dir, seed=seed)
    if data is None:
        raise UsageError("eval_dataset is missing: what is to be evaluated on?")
    model, adapter = tuned_model(asked)
    found = evaluation_of(asked, dialect, data, model=model, adapter=adapter, seed=seed)
    joined = () if data.joined is None else (data.joined,)
    return replace(frame, joined=joined, evaluations=(found,))


def _data_section(data: Chosen, share: float) -> dict[str, Any]:
    limit = {} if data.limit is None else {"limit": data.limit}
    return {"file": data.file, **limit, "held_out": share}


def _seed(asked: Asked) -> int:
    seed = asked.integer("seed", SEED)
    if asked.integer("data_seed", seed) != seed:
        asked.fault("data_seed", "there is one seed; leave it out")
    return seed


def _name(asked: Asked, folder: Path) -> str:
    """A run's name: the one that was given, or the end of the output folder's path."""
    words = re.sub(r"[^A-Za-z0-9_-]+", "-", asked.text("run_name") or folder.name)
    return words.strip("-_") or "imported"


def _refuse_resume(asked: Asked) -> None:
    """A checkpoint of another tool is no state of ours; our own need no flag."""
    said = "the same command goes on by itself; leave it out"
    asked.flag("resume_from_checkpoint", otherwise=said)
