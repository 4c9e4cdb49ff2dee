"""What the trainings of a recipe will need; no step is carried out for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuneval.recipes.plan import Plan
from tuneval.recipes.work import Material
from tuneval.runs.events import Report, ignore

if TYPE_CHECKING:
    from tuneval.training.planning import TrainingPlan


def plan_trainings(plan: Plan, *, report: Report = ignore) -> dict[str, TrainingPlan]:
    """The plan of each train step by its name.

    One that learns from a selection is planned on the whole training side: what will be chosen
    is not known yet, and it is no more than that.
    """
    from tuneval.training.planning import plan_training

    recipe, material = plan.recipe, Material(plan)
    return {
        step.name: plan_training(
            step,
            model=recipe.model,
            examples=material.sides.train,
            template=recipe.template,
            report=report,
        )
        for step in recipe.trainings
    }
