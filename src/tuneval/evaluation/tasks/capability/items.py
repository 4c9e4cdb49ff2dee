"""The items of the suite, from its tables: a YAML file for each capability."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tuneval.evaluation.rules import Rule

CapabilityName = Literal[
    "understanding",
    "generation",
    "knowledge",
    "adaptability",
    "long_text_understanding",
    "long_text_generation",
    "diversity",
    "sentiment_analysis",
    "sentiment_expression",
    "reasoning",
    "problem_solving",
    "ethics",
    "dialogue",
]
Language = Literal["en", "zh"]
_Text = Annotated[str, Field(min_length=1)]


class Turn(BaseModel):
    """One turn of the conversation before the last question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: _Text


class CapabilityItem(BaseModel):
    """A question with the rule for its answer, or `judge: true` where no rule can tell.

    `before` are earlier turns. `about` names the passage of its table that is put in front.
    `right` keeps the rule and `wrong` breaks it: so may an answer look.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: _Text
    prompt: _Text
    before: tuple[Turn, ...] = ()
    about: str | None = None
    rule: Rule | None = None
    judge: bool = False
    right: str = ""
    wrong: str = ""

    @model_validator(mode="after")
    def _is_marked_somehow(self) -> Self:
        if (self.rule is None) != self.judge:
            raise ValueError("an item has a rule, or a judge")
        if self.rule is not None and not (self.right and self.wrong):
            raise ValueError("an item with a rule shows a right answer and a wrong one")
        return self


class CapabilityTable(BaseModel):
    """All items of one capability. `passages` are long texts by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: _Text
    summary: _Text
    max_new_tokens: Annotated[int, Field(ge=1)] = 64
    passages: dict[str, str] = {}
    en: tuple[CapabilityItem, ...]
    zh: tuple[CapabilityItem, ...]

    @property
    def items(self) -> list[tuple[Language, CapabilityItem]]:
        """Each item with its language."""
        return [*(("en", item) for item in self.en), *(("zh", item) for item in self.zh)]

    def text(self, item: CapabilityItem) -> str:
        """What is asked, with the passage that it is about."""
        if item.about is None:
            return item.prompt
        return f"{self.passages[item.about].strip()}\n\n{item.prompt}"


@cache
def table(capability: CapabilityName) -> CapabilityTable:
    """The items of one capability."""
    text = files(__package__).joinpath(f"{capability}.yaml").read_text(encoding="utf-8")
    content: Any = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return CapabilityTable.model_validate(content)
