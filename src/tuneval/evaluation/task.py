"""What a task is: a named benchmark, its options, and the questions that they give."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from tuneval.evaluation.question import Question

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item

Kind = Literal[
    "multiple choice",
    "generation",
    "classification",
    "regression",
    "ranking",
    "multi-label",
    "pairwise verdict",
    "instructions",
    "language modelling",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAbout:
    """What a person must know of a task.

    `metrics` are those it is graded by, the main one first. `protocols` names the ways in which
    it is asked, with what each does and whose numbers it compares with; the first is the default.
    `layout` says which files the path must hold, in the official layout. `capabilities` are what
    it tests, as FlagEval's first axis has them.
    """

    name: str
    title: str
    summary: str
    kind: Kind
    languages: tuple[str, ...]
    capabilities: tuple[str, ...]
    metrics: tuple[str, ...]
    protocols: Mapping[str, str]
    layout: str
    source: str
    licence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """All that a task asks, in the order of its files.

    `protocol` is the whole id of how it is asked, such as "cmmlu/official/5-shot/plain".
    `population` counts the items of each stratum before any were left out by a limit;
    `strata` is the tag that names an item's stratum, such as "subject". `average` is the name of
    the tag over whose values the main figure is an unweighted mean (a macro average), where the
    protocol wants that. `demonstrations` are examples shown in prompts, for overlap checks.
    """

    questions: tuple[Question, ...]
    protocol: str
    metrics: tuple[str, ...]
    strata: str | None = None
    population: Mapping[str, int] = field(default_factory=dict)
    average: str | None = None
    demonstrations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Task(BaseModel, ABC):
    """A task and its options; `kind` is the name of its row in the catalog.

    `name` tells two of one kind apart; `limit` takes so many items of each stratum (`per:
    stratum`) or in all, drawn by `seed` with the strata's shares kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    about: ClassVar[TaskAbout]

    kind: str
    name: str | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    per: Literal["stratum", "task"] = "task"
    seed: int = 17

    @property
    def title(self) -> str:
        """Its name in folders and reports."""
        return self.name or self.kind

    @abstractmethod
    def load(self) -> Questions:
        """Read its files and make its questions, before any limit.

        Raises DataError for files that are missing or wrong.
        """

    def judged(self, items: Sequence[Item]) -> Sequence[Item]:
        """The answered items with what the benchmark's own program makes of them in their fields;
        mostly as they are. Metrics grade them afterwards.
        """
        return items

    def leave(self, folder: Path, items: Sequence[Item], *, model: str) -> None:
        """Write what the benchmark's own tools read of a finished evaluation; mostly nothing."""

    def settings(self) -> dict[str, Any]:
        """Its options, for the record."""
        return self.model_dump(mode="json")
