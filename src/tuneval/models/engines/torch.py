"""Likelihood measured in this process."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from tuneval.models.engines.engine import EngineConfig
from tuneval.models.forward import longest_input
from tuneval.models.likelihood import OnBatch, measure_nll
from tuneval.models.load import load_model
from tuneval.models.memory import give_back
from tuneval.models.sequences import Request
from tuneval.runs.events import Report, ignore


class TorchEngine:
    """A loaded model, asked through `measure_nll`; `whole_passes` is its `whole`."""

    def __init__(
        self,
        model: Any,
        *,
        token_budget: int | None = None,
        batch_size: int | None = None,
        max_length: int | None = None,
        whole_passes: bool = False,
    ) -> None:
        self.model = model
        self._token_budget = token_budget
        self._batch_size = batch_size
        self._whole_passes = whole_passes
        limits = [n for n in (longest_input(model), max_length) if n is not None]
        self.longest_input = min(limits) if limits else None

    def measure(
        self,
        requests: Sequence[Request],
        *,
        known: Collection[int] = (),
        on_batch: OnBatch,
        report: Report = ignore,
    ) -> None:
        """See `Engine.measure`."""
        measure_nll(
            self.model,
            requests,
            known=known,
            whole=self._whole_passes,
            token_budget=self._token_budget,
            batch_size=self._batch_size,
            report=report,
            on_batch=on_batch,
        )

    def close(self) -> None:
        """Let go of the model."""
        self.model = None
        give_back()

    def __enter__(self) -> TorchEngine:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def open_engine(config: EngineConfig, *, report: Report = ignore) -> TorchEngine:
    """Load the model. Raises ModelError as `load_model` does."""
    loaded = load_model(
        config.model,
        adapter=config.adapter,
        dtype=config.precision,
        device=config.device,
        report=report,
    )
    return TorchEngine(
        loaded.model,
        token_budget=config.token_budget,
        batch_size=config.batch_size,
        max_length=config.max_length,
        whole_passes=config.whole_passes,
    )
