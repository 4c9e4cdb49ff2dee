"""What the steps of one run share: its plan, its folder, and the data read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tuneval.data.example import Example
from tuneval.data.read import read
from tuneval.data.split import Split, split
from tuneval.errors import DataError
from tuneval.recipes.plan import Plan
from tuneval.runs.events import Report
from tuneval.runs.run import Run


@dataclass
class Work:
    """What the steps of one run share."""

    plan: Plan
    run: Run
    report: Report

    @cached_property
    def examples(self) -> list[Example]:
        """Every example of the data file."""
        data = self.plan.recipe.data
        return list(read(self.plan.data_file, format=data.format))

    @cached_property
    def sides(self) -> Split:
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
