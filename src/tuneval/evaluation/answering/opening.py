"""Whoever answers, found by how a model is named and where it is to work."""

from __future__ import annotations

from tuneval.evaluation.answering.respondent import Respondent
from tuneval.evaluation.config import EvaluateConfig
from tuneval.models.endpoint import is_endpoint
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

    An address asks by itself, wherever workers and engine are said to be. Raises ModelError when
    it cannot be loaded, UsageError when it cannot be asked so.
    """
    if is_endpoint(model):
        from tuneval.evaluation.answering.endpoint.respondent import open_endpoint

        return open_endpoint(model, adapter=adapter, template=template)
    if config.workers == "ray":
        from tuneval.evaluation.answering.ray import open_on_ray

        return open_on_ray(model, config, adapter=adapter, template=template, report=report)
    if config.engine == "vllm":
        from tuneval.evaluation.answering.vllm import open_on_vllm

        return open_on_vllm(model, config, adapter=adapter, template=template, report=report)
    from tuneval.evaluation.answering.local import open_local

    return open_local(
        model, adapter=adapter, template=template, precision=config.precision, report=report
    )
