"""What the steps of one run share: its plan, its folder, and the data read once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from tuneval.data.example import Example, Item, Kind, Preference, Text, UnpairedPreference
from tuneval.data.read import read_items
from tuneval.data.split import Split, split
from tuneval.errors import DataError
from tuneval.evaluation.comparing.comparison import Comparison
from tuneval.recipes.plan import Plan
from tuneval.recipes.recipe import CompareStep, EvaluateStep, TrainStep
from tuneval.runs.events import Report
from tuneval.runs.run import Run

KINDS: dict[type[Item], Kind] = {
    Example: "conversation",
    Text: "text",
    Preference: "preference",
    UnpairedPreference: "unpaired_preference",
}
LEARNS = {
    "conversation": "give conversations; plain texts are learnt by `stage: pretrain`",
    "text": "give texts; conversations are learnt by `stage: sft`",
}


@dataclass
class Material:
    """The data that a plan is about, read once."""

    plan: Plan

    @cached_property
    def examples(self) -> list[Any]:
        """Every item of the data file, up to the recipe's limit, of the kind its steps read."""
        recipe = self.plan.recipe
        found = read_items(self.plan.data_file, format=recipe.data.format)
        return list(islice(_only(found, recipe.reads), recipe.data.limit))

    @cached_property
    def sides(self) -> Split[Any]:
        """The training side and the held-out side."""
        recipe = self.plan.recipe
        sides = split(
            self.examples, held_out=recipe.data.held_out, by=recipe.data.by, seed=recipe.seed
        )
        for side, name in ((sides.train, "training"), (sides.held_out, "held-out")):
            if not side and not (name == "held-out" and recipe.data.held_out == 0):
                raise DataError(
                    f"The split leaves no {name} example.",
                    where=self.plan.data_file,
                    mend="give more examples or groups, or change data.held_out",
                )
        return sides

    @cached_property
    def distinct(self) -> dict[str, Any]:
        """The training side by id, in its order; of what stands there twice, the first."""
        first = {example.id: example for example in reversed(self.sides.train)}
        return {example.id: first[example.id] for example in self.sides.train}


@dataclass
class Work(Material):
    """What the steps of one run share."""

    run: Run
    report: Report

    def comparisons(self) -> dict[str, Comparison]:
        """What the finished compare steps came to, by name."""
        found = {
            step.name: self.run.step_result(step.name)
            for step in self.plan.recipe.steps
            if isinstance(step, CompareStep)
        }
        return {
            name: Comparison.from_dict(result)
            for name, result in found.items()
            if result is not None
        }

    def training_folder(self, step: TrainStep) -> Path:
        """Where a training writes: the run's own folder, or its own where there are several."""
        if len(self.plan.recipe.trainings) == 1:
            return self.run.folder
        return self.run.path("training", step.name)

    def model_of(self, step: EvaluateStep) -> str:
        """The reference of the model that a step evaluates."""
        recipe = self.plan.recipe
        training = recipe.training_of(step)
        if training is None:
            return recipe.model
        several = len(recipe.trainings) > 1
        return f"run:{self.run.folder}" + (f":{training.name}" if several else "")


def _only(items: Iterable[Item], kind: Kind) -> Iterator[Item]:
    """The items; DataError at the first of another kind."""
    for item in items:
        if KINDS[type(item)] != kind:
            raise DataError(
                f"The recipe reads items of the kind {kind}, and this is a {KINDS[type(item)]}.",
                where=str(item.source),
                mend=f"{LEARNS[kind]}; `tuneval data convert` turns one kind into another",
            )
        yield item
