"""The likelihood of whole texts, in windows of what the model can read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.answering.asked import Reading, of_kind
from tuneval.evaluation.answering.kept import Kept
from tuneval.evaluation.answering.measuring import Measuring
from tuneval.evaluation.answering.respondent import Ready
from tuneval.models.sequences import Ids, Request
from tuneval.runs.events import Report

if TYPE_CHECKING:
    from tuneval.models.engines.engine import Engine
    from tuneval.models.likelihood import Nll


def windows(ids: Ids, before: Ids, *, size: int) -> tuple[Request, ...]:
    """Windows of `size` tokens in which each token of a text is predicted once.

    The first begins with `before`, one token; each later one with the last token of the one
    before it, and the last reaches back for all the context there is room for: the disjoint
    windows of lm-evaluation-harness's `loglikelihood_rolling`.
    """
    cut = [Request(before, ids[:size])]
    for start in range(size, len(ids), size):
        end = min(start + size, len(ids))
        cut.append(Request(ids[end - size - 1 : start], ids[start:end]))
    return tuple(cut)


def read(engine: Engine, ready: Ready, *, kept: Kept, stage: str, report: Report) -> None:
    """Measure every text that is not kept yet, and keep it."""

    def row_of(name: str, found: Sequence[Nll]) -> dict[str, Any]:
        return {
            "id": name,
            "way": "read",
            "prompt": ready.prompts[name],
            "nll": sum(nll.total for nll in found),
            "n_tokens": sum(nll.n_tokens for nll in found),
        }

    measuring = Measuring(row_of, kept, stage, len(ready.asked), report)
    measuring.measure(engine, of_kind(ready.asked, Reading))
