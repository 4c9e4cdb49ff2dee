"""A model that can be asked: in this process, on workers, or behind an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tuneval.evaluation.answering.kept import Kept
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.question import Question, Way
from tuneval.runs.events import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class RespondentFacts:
    """Who answers. Hashes are by content; what cannot be known (behind an address) is None.

    `ways` are the ways of answering that it has.
    """

    model: str
    model_hash: str | None
    adapter: str | None
    template: str
    template_hash: str | None
    tokenizer_hash: str | None
    precision: str
    ways: frozenset[Way]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Questions made ready: what each is as the model will see it, or why it cannot be asked.

    `asked` is the respondent's own, by question id; `prompts` the texts that a person may read.
    `config` is what they were made ready for. `prompt_hash` is over all that the model is given,
    in the order of the questions. `shots_dropped` counts the questions that lost shots or their
    head to the model's length.
    """

    config: EvaluateConfig
    asked: Mapping[str, Any]
    prompts: Mapping[str, str]
    skipped: Mapping[str, str]
    prompt_hash: str
    shots_dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariance:
    """Some items asked in batches and again one by one: `largest` is the largest difference.

    Of log-probabilities in nats, for choices (all of a choice) and texts (of a token);
    `n_changed` counts items whose best choice or first generated tokens differ.
    """

    n_items: int
    n_changed: int
    largest: float | None
    details: Mapping[str, Any] = field(default_factory=dict)


class Respondent(Protocol):
    """Asks a model. Close it when done; it is a context manager too."""

    @property
    def facts(self) -> RespondentFacts:
        """Who answers."""

    def prepare(self, questions: Sequence[Question], config: EvaluateConfig) -> Ready:
        """The questions as the model will see them; none is lost without a reason."""

    def answer(self, ready: Ready, *, kept: Kept, stage: str, report: Report) -> None:
        """Answer what is not kept yet, and keep each as it is known.

        Every row has `id`, `way`, `prompt` and `elapsed_seconds`; chosen: `logprobs`,
        `choice_tokens`; generated: `predict`, `finish_reason`, `n_tokens`, `seconds_to_first`
        and `seconds` (None where they cannot be told apart); read: `nll`, `n_tokens`. One that
        is not taken has the reason as `refused` instead.
        """

    def check_invariance(
        self, ready: Ready, rows: Mapping[str, Mapping[str, Any]], *, n_items: int = 16
    ) -> Invariance | None:
        """Ask some of the items with a kept row again; None where batches are not its own."""

    def close(self) -> None:
        """Give back memory and workers."""

    def __enter__(self) -> Respondent: ...

    def __exit__(self, *error: object) -> None: ...
