"""Whoever answers, found by how a model is named and where it is to work."""

from __future__ import annotations

from tuneval.errors import UsageError
from tuneval.evaluation.answering.respondent import Respondent
from tuneval.evaluation.config import EvaluateConfig
from tuneval.runs.events import Report, ignore


def open_respondent(
    model: str,
    config: EvaluateConfig,
    *,
    adapter: str | None = None,
    template: str = "auto",
    report: Report = ignore,
) -> Respondent:
    """The model, ready to be asked as `config` says. Close it when done.

    Raises ModelError when it cannot be loaded, UsageError when it cannot be asked so.
    """
    if config.workers != "none":
        raise UsageError(
            f"Questions of tasks are not shared out by {config.workers} yet.",
            mend="leave out workers, or evaluate one task on each machine",
        )
    from tuneval.evaluation.answering.local import open_local

    return open_local(
        model, adapter=adapter, template=template, precision=config.precision, report=report
    )
