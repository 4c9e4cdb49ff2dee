"""Whether what is varied can change an answer at all: runs that cannot differ show no stability."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.question import Question
from tuneval.evaluation.record import EvaluationResult

_NOTE = "what was varied could not act"
"""How the note begins of a result whose source of repeats could change nothing."""


def why_idle(
    source: str, questions: Sequence[Question], config: EvaluateConfig, *, is_endpoint: bool
) -> str | None:
    """Why varying `source` cannot change an answer to these questions; None where it can."""
    if source in ("batch", "precision") and is_endpoint:
        return f"whoever stands behind an address chooses its {source} itself"
    if source == "batch" and len(questions) < 2:
        return "there is one question, and nothing to batch it with"
    if source == "shots" and all(len(question.shots) < 2 for question in questions):
        shown = any(question.shots for question in questions)
        return f"the task shows {'one demonstration' if shown else 'no demonstrations'}"
    if source == "seed":
        written = [question for question in questions if question.way == "generate"]
        if not written:
            return "no answer is drawn: likelihoods are the same for every seed"
        if not any(_temperature(question, config) > 0 for question in written):
            return "the task prescribes greedy answers"
    return None


def idle_note(source: str, reason: str) -> str:
    """The note for a result that `why_idle` has a reason for."""
    return f"{_NOTE} ({source}): {reason}"


def found_idle(results: Iterable[EvaluationResult]) -> str | None:
    """The reason that all of the results have a note of; None without."""
    reasons = [
        next((note.partition("): ")[2] for note in result.notes if note.startswith(_NOTE)), None)
        for result in results
    ]
    return reasons[0] if reasons and all(reasons) else None


def _temperature(question: Question, config: EvaluateConfig) -> float:
    return config.temperature if question.temperature is None else question.temperature
