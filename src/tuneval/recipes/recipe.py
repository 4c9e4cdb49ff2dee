"""What a recipe may say. Unknown fields are errors; every default is in sight."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tuneval.evaluation.evaluate import EvaluateConfig
from tuneval.training.config import TrainConfig

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSection(_Section):
    """The examples and how they part into training and held-out items."""

    file: str
    format: str = "auto"
    held_out: Annotated[float, Field(ge=0, lt=1)] = 0.25
    by: Literal["group", "id"] = "group"


class CheckStep(_Section):
    """Check the data; errors stop the run."""

    kind: Literal["check"]
    name: Name = "check"


class ShowStep(_Section):
    """Show which tokens will be trained, on the first examples."""

    kind: Literal["show"]
    name: Name = "show"
    examples: Annotated[int, Field(ge=1, le=50)] = 2


class TrainStep(TrainConfig):
    """Train the base model on the training side."""

    kind: Literal["train"]
    name: Name = "train"


class EvaluateStep(EvaluateConfig):
    """Evaluate the base model or the trained one on the held-out side."""

    kind: Literal["evaluate"]
    name: Name
    model: Literal["base", "trained"]


class CompareStep(_Section):
    """Compare two evaluations item by item; differences are b less a."""

    kind: Literal["compare"]
    name: Name = "comparison"
    a: Name
    b: Name


class ReportStep(_Section):
    """Write report.md and report.html."""

    kind: Literal["report"]
    name: Name = "report"


Step = Annotated[
    CheckStep | ShowStep | TrainStep | EvaluateStep | CompareStep | ReportStep,
    Field(discriminator="kind"),
]


class Recipe(_Section):
    """An experiment: data, a base model, and steps in their order."""

    name: Name
    description: str = ""
    model: str
    template: str = "auto"
    seed: int = 17
    data: DataSection
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _steps_fit_together(self) -> Recipe:
        known: dict[str, str] = {}
        faults = []
        for place, step in enumerate(self.steps, start=1):
            evaluated = [name for name, kind in known.items() if kind == "evaluate"]
            if isinstance(step, CompareStep):
                faults += [
                    f"step {place} ({step.name}): '{name}' is no earlier evaluate step; "
                    f"there are: {', '.join(evaluated) or 'none'}"
                    for name in (step.a, step.b)
                    if name not in evaluated
                ]
            if isinstance(step, EvaluateStep):
                if step.model == "trained" and "train" not in known.values():
                    faults.append(f"step {place} ({step.name}): there is no train step before it")
                if self.data.held_out == 0:
                    faults.append(f"step {place} ({step.name}): needs data.held_out above 0")
            if step.kind == "train" and "train" in known.values():
                faults.append(f"step {place}: a run holds one trained model: one train step")
            if step.name in known:
                faults.append(f"step {place}: the name '{step.name}' is taken")
            known[step.name] = step.kind
        if faults:
            raise ValueError("; ".join(faults))
        return self
