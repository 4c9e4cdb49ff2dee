"""What an evaluation is asked to do, with every default in sight."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from tuneval.config import config_of
from tuneval.errors import TunevalError
from tuneval.evaluation.metrics import TEXT_METRICS, load_metric
from tuneval.models.precision import Precision


class EvaluateConfig(BaseModel):
    """An evaluation: how answers are obtained and by which metrics they are graded.

    `json_fields` names fields of JSON answers: each adds `json_field:<name>` (share right) and
    `json_field_f1:<name>`. Without `generate` the model writes no answers: the likelihood of the
    true ones is all that is measured, and there is nothing for metrics to grade. `max_length`
    bounds the tokens of a prompt with its response. Temperature 0 is greedy; above it answers are
    drawn, by the seed, from the likeliest tokens that have `top_p` of the probability.
    `token_budget` bounds the tokens that the model works on or holds at a time; None finds it by
    the memory there is. `batch_size` bounds the sequences: the fewer, the slower. The
    demonstrations of a task stand in their file's order, or in one drawn by `shot_seed`. Each of
    `perturbations` asks every question of a task once more, changed in that way. A task's
    questions are answered by `engine`, in this process or by the workers of a Ray cluster.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    metrics: tuple[str, ...] = ("exact_match", *TEXT_METRICS)
    json_fields: tuple[str, ...] = ()
    generate: bool = True
    max_new_tokens: Annotated[int, Field(ge=1)] = 64
    temperature: Annotated[float, Field(ge=0)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_length: Annotated[int, Field(ge=16)] | None = None
    token_budget: Annotated[int, Field(ge=1)] | None = None
    batch_size: Annotated[int, Field(ge=1)] | None = None
    seed: int = 17
    precision: Precision = "float32"
    shot_seed: int | None = None
    engine: Literal["torch", "vllm"] = "torch"
    workers: Literal["none", "ray"] = "none"
    perturbations: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _no_metrics_without_answers(cls, content: Any) -> Any:
        if isinstance(content, dict) and content.get("generate") is False:
            return {"metrics": (), **content}
        return content

    @model_validator(mode="after")
    def _metrics_have_answers(self) -> Self:
        if not self.generate and self.graded_metrics:
            raise ValueError(
                f"{', '.join(self.graded_metrics)}: metrics of generated answers; "
                "leave them out, or generate: true"
            )
        return self

    @field_validator("metrics")
    @classmethod
    def _metrics_exist(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        faults = []
        for name in names:
            try:
                load_metric(name)
            except TunevalError as error:
                faults.append(f"{error.what} {error.mend}".strip())
        if faults:
            raise ValueError(" ".join(faults))
        return tuple(dict.fromkeys(names))

    @property
    def graded_metrics(self) -> tuple[str, ...]:
        """All metrics of answers, those of JSON fields included."""
        return tuple(dict.fromkeys([*self.metrics, *self._of_json_fields]))

    @property
    def asked_metrics(self) -> tuple[str, ...]:
        """The same without the default ones: what is graded beside a task's own metrics."""
        given = self.metrics if "metrics" in self.model_fields_set else ()
        return tuple(dict.fromkeys([*given, *self._of_json_fields]))

    @property
    def _of_json_fields(self) -> list[str]:
        kinds = ("json_field", "json_field_f1")
        return [f"{kind}:{name}" for name in self.json_fields for kind in kinds]

    def settings(self) -> dict[str, Any]:
        """The fields of this class alone, whatever a recipe's step adds to them."""
        return self.model_dump(mode="json", include=set(EvaluateConfig.model_fields))


def config_from(**fields: Any) -> EvaluateConfig:
    """A config from what a person typed; None stands for the default. Raises UsageError."""
    return config_of(EvaluateConfig, fields, refusal="The evaluation cannot be done as asked")
