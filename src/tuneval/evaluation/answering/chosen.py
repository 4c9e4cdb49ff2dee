"""The likeliest of given choices: the log-probability of each after the prompt.

What prompts share (the head and shots of a subject, the question before its choices) is read
once, and the output head runs only where a choice is predicted; see `models.likelihood`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.answering.asked import Choosing, of_kind
from tuneval.evaluation.answering.kept import Kept
from tuneval.evaluation.answering.measuring import Measuring
from tuneval.evaluation.answering.respondent import Ready
from tuneval.runs.events import Report

if TYPE_CHECKING:
    from tuneval.models.engines.engine import Engine
    from tuneval.models.likelihood import Nll


def choose(engine: Engine, ready: Ready, *, kept: Kept, stage: str, report: Report) -> None:
    """Measure the choices of every question that is not kept yet, and keep them."""

    def row_of(name: str, found: Sequence[Nll]) -> dict[str, Any]:
        return {
            "id": name,
            "way": "choose",
            "prompt": ready.prompts[name],
            "logprobs": [-nll.total for nll in found],
            "choice_tokens": [nll.n_tokens for nll in found],
        }

    measuring = Measuring(row_of, kept, stage, len(ready.asked), report)
    measuring.measure(engine, of_kind(ready.asked, Choosing))
