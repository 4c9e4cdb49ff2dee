"""What scoring is asked to do, with every default in sight."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tuneval.config import config_of
from tuneval.errors import UsageError
from tuneval.models.precision import Precision
from tuneval.scoring.scorers import PERPLEXITIES, SCORERS

Unconditional = Literal["auto", "nothing", "bos", "header"]


class ScoreConfig(BaseModel):
    """Which measures, of which prompts, computed how.

    `prompts`: `instruction` (built in), `chat` (the model's own chat template) or the path of a
    YAML file of prompts. `ratio`: IFD and its reverse as a ratio of perplexities (Superfiltering)
    or of mean losses (Cherry). `unconditional`: what stands before a text that is measured alone;
    auto is BOS where the tokenizer itself begins texts with it, else nothing. `reduction`: the
    mean per token, as perplexity, or the sum in nats; of prompt, response and one-shot measures.
    `task`: the field that says which task a record belongs to; without one, `clusters` of
    sentence embeddings are the tasks (None: a number that grows with the set).
    `token_budget` bounds the tokens of one forward pass; None finds it by the memory there is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    measures: Annotated[tuple[str, ...], Field(min_length=1)] = PERPLEXITIES
    prompts: str = "instruction"
    ratio: Literal["perplexity", "loss"] = "perplexity"
    unconditional: Unconditional = "auto"
    reduction: Literal["mean", "sum"] = "mean"
    shots: Annotated[int, Field(ge=1)] = 3
    one_shot: Literal["sign", "raw"] = "sign"
    task: str | None = None
    clusters: Annotated[int, Field(ge=1)] | None = None
    embeddings: str = "auto"
    max_length: Annotated[int, Field(ge=16)] | None = None
    precision: Precision = "float32"
    token_budget: Annotated[int, Field(ge=1)] | None = None
    engine: Literal["torch", "vllm"] = "torch"
    seed: int = 17

    @field_validator("measures")
    @classmethod
    def _measures_exist(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        faults = []
        for name in names:
            try:
                SCORERS.load(name)
            except UsageError as error:
                faults.append(f"{error.what} {error.mend}".strip())
        if faults:
            raise ValueError(" ".join(faults))
        return tuple(dict.fromkeys(names))

    def settings(self) -> dict[str, Any]:
        """The fields of this class alone, whatever a recipe's step adds to them."""
        return self.model_dump(mode="json", include=set(ScoreConfig.model_fields))


def config_from(**fields: Any) -> ScoreConfig:
    """A config from what a person typed; None stands for the default. Raises UsageError."""
    return config_of(ScoreConfig, fields, refusal="The set cannot be scored as asked")
