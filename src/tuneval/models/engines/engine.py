"""What an engine of likelihood is asked for, and what it offers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from tuneval.models.likelihood import OnBatch
from tuneval.models.precision import Precision
from tuneval.models.sequences import Request
from tuneval.runs.events import Report, ignore


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """Which model, and how it computes. It can be sent to other processes.

    `token_budget` bounds the tokens of one forward pass; None finds it by the memory there is.
    `batch_size` bounds its sequences. `whole_passes` is `whole` of `measure_nll`.
    """

    model: str
    adapter: str | None = None
    precision: Precision = "float32"
    device: str = "auto"
    token_budget: int | None = None
    batch_size: int | None = None
    whole_passes: bool = False
    max_length: int | None = None


class Engine(Protocol):
    """An open model. Close it when done; it is a context manager too.

    `longest_input` is how many tokens it reads, None when it does not say.
    """

    longest_input: int | None

    def measure(
        self,
        requests: Sequence[Request],
        *,
        known: Collection[int] = (),
        on_batch: OnBatch,
        report: Report = ignore,
    ) -> None:
        """Measure every request whose index is not in `known`; `on_batch` hears them as they come.

        All requests are passed, the known ones too: how they are laid out in forward passes is
        decided over all of them, so that a killed measurement goes on exactly as it began.
        """

    def close(self) -> None:
        """Give back memory and workers."""

    def __enter__(self) -> Engine: ...

    def __exit__(self, *error: object) -> None: ...
